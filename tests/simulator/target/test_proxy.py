"""Proxies: by the usual variables, never for private names; the token is never the proxy's."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from simulator.main import main
from simulator.target.proxy import Proxy, choose_proxy, is_private
from tests.simulator.faulty_target import ScoringServer

PROXY = "http://proxy.example:3128"
# A public name, so that a proxy is used; the proxies of these tests answer for it themselves.
PUBLIC = "http://scoring.example"


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST.", "handler", "127.0.0.1", "127.1", "127.8.9.10", "0.0.0.0",
        "10.1.2.3", "172.16.0.1", "192.168.7.7", "169.254.1.1", "100.64.0.9", "::1", "::",
        "fe80::1%eth0", "fd12::7", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "handler.local",
        "handler.railway.internal", "api.localhost", "nas.lan", "pi.home.arpa", "scoring.fraud.svc",
    ],
)  # fmt: skip
def test_private_names_never_go_through_a_proxy(host: str) -> None:
    """Whatever the variables say."""
    place = f"[{host}]" if ":" in host else host
    environ = {"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY, "ALL_PROXY": PROXY}

    assert is_private(host)
    assert choose_proxy(f"http://{place}:5000", environ) is None
    assert choose_proxy(f"https://{place}", environ) is None


@pytest.mark.parametrize(
    "host",
    ["scoring.example", "8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "local.example"],
)
def test_public_names_are_not_private(host: str) -> None:
    """They go where the variables say."""
    assert not is_private(host)


@pytest.mark.parametrize(
    ("url", "environ", "variable"),
    [
        ("http://a.example", {"HTTP_PROXY": PROXY}, "HTTP_PROXY"),
        ("http://a.example", {"http_proxy": PROXY, "HTTP_PROXY": "http://other"}, "http_proxy"),
        ("http://a.example", {"http_proxy": " ", "HTTP_PROXY": PROXY}, "HTTP_PROXY"),
        ("https://a.example", {"HTTPS_PROXY": PROXY}, "HTTPS_PROXY"),
        ("https://a.example", {"ALL_PROXY": PROXY}, "ALL_PROXY"),
        ("http://a.example", {"HTTP_PROXY": "proxy.example:3128"}, "HTTP_PROXY"),
        ("https://a.example", {"HTTP_PROXY": PROXY}, None),
        ("http://a.example", {"HTTP_PROXY": ""}, None),
        # As urllib and curl: in a CGI program this variable is the caller's.
        ("http://a.example", {"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, None),
    ],
)
def test_proxy_by_the_usual_variables(
    url: str, environ: dict[str, str], variable: str | None
) -> None:
    """By the target's scheme; lower case first, empty means unset."""
    expected = None if variable is None else Proxy(PROXY, variable)

    assert choose_proxy(url, environ) == expected


@pytest.mark.parametrize(
    ("no_proxy", "direct"),
    [
        ("a.example", True),
        (".example", True),
        ("*.example", True),
        ("other.example, a.example", True),
        ("a.example:8000", True),
        ("A.EXAMPLE", True),
        ("*", True),
        ("a.example:9000", False),
        ("example.a", False),
        ("b.a.example", False),
        ("ple", False),
        ("", False),
        (",", False),
    ],
)
def test_no_proxy(no_proxy: str, direct: bool) -> None:
    """Names with all below them, with a port or without."""
    environ = {"http_proxy": PROXY, "NO_PROXY": no_proxy}

    assert (choose_proxy("http://a.example:8000/", environ) is None) == direct


class ForwardProxy(ThreadingHTTPServer):
    """A proxy that takes every name for `target`; remembers what it was sent."""

    daemon_threads = True

    def __init__(self, target: ScoringServer, refusal: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), _ForwardHandler)
        self.target = target
        self.refusal = refusal
        self.requested: list[str] = []
        self.proxy_authorizations: set[str | None] = set()
        self.connect_headers: list[dict[str, str]] = []

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _ForwardHandler(BaseHTTPRequestHandler):
    server: ForwardProxy
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        self._forward()

    def do_POST(self) -> None:
        self._forward()

    def do_CONNECT(self) -> None:
        self.server.requested.append(self.path)
        self.server.connect_headers.append(dict(self.headers))
        self.send_error(self.server.refusal or 502)

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requested.append(self.path)
        self.server.proxy_authorizations.add(self.headers.get("Proxy-Authorization"))
        if self.server.refusal:
            self.send_error(self.server.refusal)
            return
        connection = HTTPConnection("127.0.0.1", int(self.server.target.server_address[1]))
        kept = {n: v for n, v in self.headers.items() if n.lower() in ("authorization", "x-fault")}
        connection.request(self.command, urlsplit(self.path).path, body, kept)
        response = connection.getresponse()
        answer = response.read()
        self.send_response(response.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        connection.close()

    def log_message(self, *arguments: object) -> None:
        """Nothing: the tests look at what was requested."""


@pytest.fixture
def proxy(target: ScoringServer) -> Iterator[ForwardProxy]:
    """A running proxy on a free port of loopback."""
    with ForwardProxy(target) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_requests_and_labels_go_through_the_proxy(
    proxy: ForwardProxy, target: ScoringServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the proxy's own credentials; the target's token goes to the target."""
    monkeypatch.setenv("HTTP_PROXY", f"http://me:secret@{proxy.place}")
    monkeypatch.setenv("ACCESS_TOKEN", "a-token")

    words = f"--url {PUBLIC} --count 20 --rate 200 --faulty 0 --labels-after 0 --quiet"
    code = main(words.split())

    assert len(target.received) >= 20 and target.authorizations == {"Bearer a-token"}
    assert f"{PUBLIC}/model_info" in proxy.requested and f"{PUBLIC}/predict" in proxy.requested
    assert proxy.proxy_authorizations == {"Basic bWU6c2VjcmV0"}
    # The target gives no receipts, so no label could be counted.
    assert code == 3


def test_loopback_is_reached_past_the_proxy(
    proxy: ForwardProxy, target: ScoringServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in an office network, where HTTP_PROXY is always set."""
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.place}")

    assert main(f"--url {target.url} --count 5 --rate 100 --quiet".split()) == 0
    assert proxy.requested == []


def test_proxy_of_an_https_target_never_sees_the_token(
    proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """CONNECT goes to the proxy in clear text: aiohttp would send a session's own headers there."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@{proxy.place}")
    monkeypatch.setenv("ACCESS_TOKEN", "a-token")

    code = main(["--url", "https://scoring.example", "--count", "5", "--rate", "100"])

    said = capsys.readouterr().err
    assert code == 1 and proxy.requested == ["scoring.example:443"]
    assert proxy.connect_headers[0]["Proxy-Authorization"] == "Basic bWU6c2VjcmV0"
    assert "a-token" not in json.dumps(proxy.connect_headers)
    assert f"answer 502 to CONNECT (through the proxy {proxy.place} of HTTPS_PROXY)" in said
    assert "secret" not in said


def test_proxy_that_asks_for_credentials(
    proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is the proxy that refuses, and the sentence says so."""
    proxy.refusal = 407
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.place}")

    assert main(f"--url {PUBLIC} --count 5".split()) == 1
    sentence = f"the proxy {proxy.place} of HTTP_PROXY asks for credentials: put them into its URL"
    assert sentence in capsys.readouterr().err


def test_proxy_that_is_down(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not the target is refused, but the way to it."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{unused.getsockname()[1]}"
        monkeypatch.setenv("ALL_PROXY", place)

        assert main(f"--url {PUBLIC} --count 5".split()) == 1

    said = capsys.readouterr().err
    assert f"Connection refused (through the proxy {place} of ALL_PROXY)" in said
