"""The one address before the nodes: where calls go, and what becomes of them without a node."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from stack.native.reverse_proxy import SLOW_SECONDS
from tests.lab.cortex import Proxy
from tests.lab.ports import free_port


class StandIn:
    """A node that answers with what it was asked, compressed where that is understood."""

    def __init__(self, status: int = 200) -> None:
        self.asked: list[str] = []
        self.status = status
        node = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                node.asked.append(self.path)
                said = f"{self.command} {self.path} {self.headers['X-Given']} ".encode() + body
                packed = "gzip" in self.headers.get("Accept-Encoding", "")
                content = gzip.compress(said) if packed else said
                self.send_response(418 if b"refuse" in body else node.status)
                if packed:
                    self.send_header("Content-Encoding", "gzip")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """No connection is taken any more."""
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def node() -> Iterator[StandIn]:
    made = StandIn()
    yield made
    made.close()


@pytest.fixture
def failing() -> Iterator[StandIn]:
    """One that is not ready, or has no quorum."""
    made = StandIn(503)
    yield made
    made.close()


@pytest.fixture
def proxy(node: StandIn, tmp_path: Path) -> Iterator[Proxy]:
    """Before a node that nobody listens on, and one that answers."""
    with Proxy(tmp_path, [f"http://127.0.0.1:{free_port()}", node.url]) as started:
        yield started


def ask(url: str, body: str | bytes = "", **headers: str) -> requests.Response:
    return requests.post(url, data=body, headers={"X-Given": "kept", **headers}, timeout=10)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/api/v1/push", "/api/v1/push"),
        ("/api/v1/otlp/v1/metrics", "/api/v1/otlp/v1/metrics"),
        ("/api/v1/query?query=a%20%2B%20b", "/prometheus/api/v1/query?query=a%20%2B%20b"),
        ("/api/v1/label/job/values", "/prometheus/api/v1/label/job/values"),
    ],
    ids=["remote-write", "otlp", "query", "labels"],
)
def test_calls_go_to_the_node_that_answers(
    proxy: Proxy, node: StandIn, path: str, asked: str
) -> None:
    answer = ask(proxy.url + path, "body")
    assert (answer.status_code, answer.text) == (200, f"POST {asked} kept body")
    assert node.asked == [asked]


@pytest.mark.parametrize("understood", ["gzip", "identity"])
def test_an_answer_is_compressed_only_for_whom_asks_for_it(proxy: Proxy, understood: str) -> None:
    answer = ask(f"{proxy.url}/api/v1/query", "x", **{"Accept-Encoding": understood})
    assert answer.headers.get("Content-Encoding", "identity") == understood
    assert answer.text.endswith("x")


def test_a_compressed_body_passes_as_it_is(proxy: Proxy) -> None:
    """An OTLP sender compresses by gzip, and the node is told so."""
    sent = gzip.compress(b"x" * 100)
    url = f"{proxy.url}/api/v1/otlp/v1/metrics"
    answer = ask(url, sent, **{"Content-Encoding": "gzip", "Accept-Encoding": "identity"})
    assert answer.content.endswith(b" kept " + sent)


@pytest.mark.parametrize("way", ["..", "%2e%2e"])
def test_only_the_api_of_a_node_is_reached(proxy: Proxy, node: StandIn, way: str) -> None:
    with closing(HTTPConnection(proxy.url.removeprefix("http://"), timeout=10)) as connection:
        connection.request("GET", f"/api/v1/push/{way}/{way}/{way}/ingester/shutdown")
        assert connection.getresponse().status == 404
    assert node.asked == []


def test_what_a_node_answers_is_not_asked_again(proxy: Proxy, node: StandIn) -> None:
    """A refusal is an answer: the sender decides what becomes of it."""
    assert ask(f"{proxy.url}/api/v1/push", "refuse").status_code == 418
    assert len(node.asked) == 1


def test_a_node_that_hangs_is_left_for_another(node: StandIn, tmp_path: Path) -> None:
    """It takes connections: a sender's try of 8 s has its answer, and the next need not wait."""
    with (
        socket.create_server(("127.0.0.1", 0)) as hanging,
        Proxy(tmp_path, [f"http://127.0.0.1:{hanging.getsockname()[1]}", node.url]) as proxy,
    ):
        assert requests.post(f"{proxy.url}/api/v1/push", data="x", timeout=8).status_code == 200
        assert requests.get(f"{proxy.url}/api/v1/query", timeout=2).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/push", "/api/v1/query?query=up"])
def test_a_node_that_fails_is_passed_over_and_asked_last(
    failing: StandIn, node: StandIn, tmp_path: Path, path: str
) -> None:
    with Proxy(tmp_path, [failing.url, node.url]) as proxy:
        assert [ask(proxy.url + path).status_code for _ in range(3)] == [200, 200, 200]
    assert (len(failing.asked), len(node.asked)) == (1, 3)


def test_a_node_that_begins_to_fail_does_not_stay_first(node: StandIn, tmp_path: Path) -> None:
    """It answered last, and so comes first, until it fails."""
    with closing(StandIn()) as first, Proxy(tmp_path, [first.url, node.url]) as proxy:
        assert ask(f"{proxy.url}/api/v1/push").status_code == 200
        first.status = 500
        assert [ask(f"{proxy.url}/api/v1/push").status_code for _ in range(2)] == [200, 200]
    assert (len(first.asked), len(node.asked)) == (2, 2)


def test_where_all_fail_the_sender_is_told_what_the_first_said(
    failing: StandIn, tmp_path: Path
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with (
        closing(StandIn(500)) as second,
        Proxy(tmp_path, [nobody, failing.url, second.url]) as proxy,
    ):
        answer = ask(f"{proxy.url}/api/v1/push", "x")
    assert (answer.status_code, answer.text) == (503, "POST /api/v1/push kept x")


def test_a_query_that_hangs_does_not_draw_others_after_it(node: StandIn, tmp_path: Path) -> None:
    """It waits as long as Prometheus would let it; the calls after it begin elsewhere."""
    with (
        socket.create_server(("127.0.0.1", 0)) as hanging,
        Proxy(tmp_path, [f"http://127.0.0.1:{hanging.getsockname()[1]}", node.url]) as proxy,
    ):
        url = f"{proxy.url}/api/v1/query"
        with pytest.raises(requests.ReadTimeout):
            requests.get(url, timeout=SLOW_SECONDS + 1)
        assert requests.get(url, timeout=2).status_code == 200


def test_without_a_node_a_sender_is_told_to_come_again(tmp_path: Path) -> None:
    """503, which remote-write and the Collector retry."""
    with Proxy(tmp_path, [f"http://127.0.0.1:{free_port()}"]) as proxy:
        answer = ask(f"{proxy.url}/api/v1/push")
    assert answer.status_code == 503
    assert answer.text.startswith("No node of the store answers: http://127.0.0.1:")


def test_pages_are_served_and_nothing_beside_them(proxy: Proxy, tmp_path: Path) -> None:
    (tmp_path / "pages" / "runbooks").mkdir()
    (tmp_path / "pages" / "runbooks" / "A.md").write_text("# A")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "pages" / "linked").symlink_to(tmp_path / "pages" / "runbooks")
    assert requests.get(f"{proxy.url}/user/", timeout=30).status_code == 200
    for path in ("runbooks/A.md", "linked/A.md"):
        page = requests.get(f"{proxy.url}/user/{path}", timeout=30)
        assert (page.text, page.headers["Content-Type"]) == ("# A", "text/plain; charset=utf-8")
    assert 'content="0; url=user/"' in requests.get(f"{proxy.url}/graph", timeout=30).text
    for path in ("../secret", "..%2fsecret", "%2e%2e/secret"):
        request = requests.Request("GET", f"{proxy.url}/user/x").prepare()
        request.url = f"{proxy.url}/user/{path}"
        with requests.Session() as session:
            assert session.send(request, timeout=30).text != "secret"
