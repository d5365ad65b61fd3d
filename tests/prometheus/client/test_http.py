"""The client's habits: what it sends where, what it asks again, and what its errors say."""

from __future__ import annotations

import gzip
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path

import pytest

from prometheus.client.errors import RequestError
from prometheus.client.http import Client, basic, bearer
from prometheus.client.proxies import is_private, proxies_for

Serve = Callable[[Callable[[socket.socket], None]], str]
SECRET = "glsa_secret"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def serve() -> Iterator[Serve]:
    """serve(answer): the address of a server that hands each connection to answer()."""
    listeners: list[socket.socket] = []

    def start(answer: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        answer(connection)
                    except OSError:
                        continue

        threading.Thread(target=run, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that says nothing of proxies."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def send(data: bytes) -> Callable[[socket.socket], None]:
    """Reads a request, then answers with exactly these bytes."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(data)

    return answer


def test_answer_is_whatever_the_status_is(serve: Serve) -> None:
    """Also where the body comes packed and in chunks."""
    body = gzip.compress(b'{"message": "no such place"}')
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    head = b"HTTP/1.1 404 Not Found\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"

    answer = Client(serve(send(head + chunks))).get("/x", {"a": "b c"})
    assert (answer.status, answer.phrase, answer.reason()) == (404, "Not Found", "no such place")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "Bad Gateway"),
        (b"busy\n", "Bad Gateway (busy)"),
        (b'{"error": "too many points"}', "too many points"),
        (b"[1]", "[1]"),
    ],
)
def test_reason_is_what_the_body_says(serve: Serve, body: bytes, reason: str) -> None:
    head = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: %d\r\n\r\n" % len(body)

    assert Client(serve(send(head + body)), tries=1).get("/").reason() == reason


def test_nothing_of_the_environment_replaces_the_token(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A .netrc with the same host would."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password other")
    monkeypatch.setenv("HOME", str(tmp_path))
    seen: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        while not b"".join(seen).endswith(b"query=up"):
            seen.append(connection.recv(65_536))
        connection.sendall(OK)

    Client(serve(answer), bearer(SECRET)).post("/x", {"query": "up"})
    assert f"Authorization: Bearer {SECRET}\r\n".encode() in b"".join(seen)
    assert b"".join(seen).startswith(b"POST /x HTTP/1.1")


def test_busy_server_is_asked_again_after_the_time_that_it_names(serve: Serve) -> None:
    """Four times in all."""
    times: list[float] = []
    busy = b"HTTP/1.1 429 Too Many\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"

    def answer(connection: socket.socket) -> None:
        times.append(time.monotonic())
        send(busy if len(times) == 1 else OK)(connection)

    assert Client(serve(answer), pause=0).get("/").status == 200
    assert len(times) == 2 and times[1] - times[0] >= 1


def test_answer_that_breaks_off_is_not_asked_for_again(serve: Serve) -> None:
    """What was sent may have been done."""
    asked: list[int] = []

    def answer(connection: socket.socket) -> None:
        asked.append(1)
        send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")(connection)

    with pytest.raises(RequestError, match="cannot be reached"):
        Client(serve(answer), pause=0).get("/")
    assert len(asked) == 1


def drip(connection: socket.socket) -> None:
    """A byte now and then, for ever."""
    send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")(connection)
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("answer", [drip, lambda _: time.sleep(5)], ids=["drips", "is silent"])
def test_time_is_bounded(serve: Serve, answer: Callable[[socket.socket], None]) -> None:
    began = time.monotonic()
    with pytest.raises(RequestError, match=r"\(--prometheus\) cannot be reached: "):
        Client(serve(answer), setting="--prometheus", timeout=0.3).get("/")
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("name.grafana.net", "GRAFANA_URL must be an address such as http"),
        ("ftp://name.grafana.net", "GRAFANA_URL must be an address"),
        ("http://", "GRAFANA_URL must be an address"),
        ("http://[::1", "GRAFANA_URL must be an address"),
        ("http://name:99999", "GRAFANA_URL must be an address"),
        ("https://me:glsa_secret@name", "GRAFANA_URL must not hold a user or a password"),
        ("http://name.grafana.net", "the token would be readable on the way"),
        ("http://127.0.0.1:1", r"\(GRAFANA_URL\) cannot be reached: Connection refused"),
        ("http://name.invalid", "the token would be readable"),
        ("https://name.invalid", "cannot be reached: "),
    ],
)
def test_address_that_does_not_work_is_one_sentence(address: str, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence) as caught:
        Client(address, bearer(SECRET), setting="GRAFANA_URL").get("/")
    assert SECRET not in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("token", ["glsa_secret\n", "glsa_secret…"])
def test_token_that_was_copied_with_something_is_not_shown(token: str) -> None:
    with pytest.raises(RequestError, match="the token for GRAFANA_URL holds characters") as caught:
        Client("https://name.grafana.net", bearer(token), setting="GRAFANA_URL")
    assert SECRET not in str(caught.value)


def test_token_is_not_in_the_representation() -> None:
    assert SECRET not in repr(Client("https://name.grafana.net", basic("1", SECRET)))


NEAR = {
    "name of this machine": ("localhost", "LOCALHOST", "db.localhost"),
    "loopback": ("127.0.0.1", "127.9.9.9", "::1", "[::1]"),
    "name without a dot": ("prometheus", "grafana."),
    "reserved ending": ("nas.local", "x.internal", "router.lan", "x.home.arpa", "db.team.svc"),
    # By their numbers: RFC 1918, link-local, unique local.
    "private address": [
        str(ip_address(number)) for number in (0x0A010203, 0xAC100001, 0xC0A80101, 0xA9FE0101)
    ],
    "private IPv6": [f"{ip_address(0xFE80 << 112 | 1)}%eth0", str(ip_address(0xFD << 120 | 1))],
}
FAR = {
    "public name": ("name.grafana.net", "local.example.org", "localhost.example.org"),
    "public address": [str(ip_address(n)) for n in (0x08080808, 0xAC200001, 0x2606 << 112)],
}


@pytest.mark.parametrize("hosts", NEAR.values(), ids=NEAR)
def test_near_host_is_private(hosts: Sequence[str]) -> None:
    assert [host for host in hosts if not is_private(host)] == []


@pytest.mark.parametrize("hosts", FAR.values(), ids=FAR)
def test_far_host_is_not_private(hosts: Sequence[str]) -> None:
    assert [host for host in hosts if is_private(host)] == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_leads_to_public_hosts_only(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")

    assert proxies_for(f"{scheme}://name.grafana.net") == {scheme: "http://proxy:3128"}
    for near in ("localhost:9090", "127.0.0.1:9090", "[::1]:9090", "prometheus:9090"):
        assert proxies_for(f"{scheme}://{near}") == {}
    monkeypatch.setenv("NO_PROXY", "grafana.net")
    assert proxies_for(f"{scheme}://name.grafana.net") == {}


def test_near_server_is_asked_directly(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although a proxy is set, which nobody answers at."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    address = serve(send(OK))

    assert Client(address).get("/").body == b"ok"
    assert Client(address.replace("127.0.0.1", "localhost")).get("/").body == b"ok"


def test_far_server_is_asked_through_the_proxy(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its error says so, without the proxy's password."""
    monkeypatch.setenv("HTTP_PROXY", serve(send(OK)))
    assert Client("http://name.example.org").get("/").body == b"ok"
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{SECRET}@127.0.0.1:1")
    with pytest.raises(RequestError, match="through the proxy of the environment: ") as caught:
        Client("https://name.example.org").get("/")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("proxy", ["http://", f"http://me:{SECRET}@", "http://[::"])
def test_proxy_without_a_host_is_named(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(RequestError, match="HTTPS_PROXY must be an address") as caught:
        Client("https://name.example.org")
    assert SECRET not in str(caught.value)


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A certificate that this machine's loopback is signed with, and its key, made anew."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl here")
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "own.pem")]
    what = ["-subj", "/CN=office", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"]
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", *files, *what]
    subprocess.run(command, check=True, capture_output=True)
    return tmp_path


def test_authority_of_the_system_is_trusted(
    authority: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An office's own authority is in the system's file, or in SSL_CERT_FILE."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "own.pem", authority / "key.pem")

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            wrapped.recv(65_536)
            wrapped.sendall(OK)

    address = serve(answer).replace("http:", "https:")
    with pytest.raises(RequestError, match="certificate verify failed"):
        Client(address).get("/")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "own.pem"))
    assert Client(address).get("/").body == b"ok"
