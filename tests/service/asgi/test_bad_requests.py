"""What is no request at all, or ends in its middle: answered in the one shape, and counted."""

from __future__ import annotations

import pytest

from tests.conftest import Counted
from tests.lab.polling import until
from tests.service.asgi.server import HEAD, AsgiServer, read_all
from tests.service.test_refusals import but

CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LIVE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
BODY = but().encode()
UNREADABLE = {
    "no HTTP": b"hello\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "two lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "length and chunks": HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "negative length": HEAD + b"Content-Length: -1\r\n\r\n",
    "blank in a header's name": HEAD + b"X Y: 1\r\n\r\n",
    "path that is no text": b"GET /caf\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("sent", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_no_request_is_refused_and_counted(
    server: AsgiServer, counted: Counted, sent: bytes
) -> None:
    connection = server.open(sent)
    answer = read_all(connection)
    connection.close()
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b'{"error":{"type":"bad_request"' in answer
    assert b"x-content-type-options: nosniff\r\n" in answer
    assert counted("errors_total", type="bad_request", endpoint="other") == 1
    assert counted("queue_size") == 0


@pytest.mark.parametrize("rest", [b"zz\r\n", b"5\r\nabcdefgh\r\n"], ids=["size", "length"])
def test_malformed_chunks_are_the_callers_fault(
    server: AsgiServer, counted: Counted, rest: bytes
) -> None:
    connection = server.open(CHUNKED + rest)
    answer = read_all(connection)
    connection.close()
    assert answer.startswith(b"HTTP/1.1 400 ") and b"its chunks are not well-formed" in answer
    assert answer.count(b"HTTP/1.1") == 1
    assert counted("errors_total", type="bad_request", endpoint="/predict") == 1


def test_body_that_ends_early_is_counted(server: AsgiServer, counted: Counted) -> None:
    server.open(HEAD + b"Content-Length: 100\r\n\r\n{").close()
    until(lambda: counted("errors_total") == 1, 30, "the request is counted as refused")
    assert counted("errors_total", type="bad_request", endpoint="/predict") == 1
    assert counted("queue_size") == 0


@pytest.mark.parametrize("blanks", [0, 5000], ids=["fits", "above the limit"])
def test_chunks_have_the_limit_of_every_body(server: AsgiServer, blanks: int) -> None:
    body = BODY + b" " * blanks
    connection = server.open(CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
    answer = connection.recv(65536)
    connection.close()
    assert answer.startswith(b"HTTP/1.1 413 " if blanks else b"HTTP/1.1 200 ")


def test_body_is_asked_for_where_the_caller_waits(server: AsgiServer) -> None:
    """Expect: 100-continue."""
    connection = server.open(
        HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    )
    assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(BODY)
    assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    connection.close()


def test_body_that_would_be_refused_is_not_asked_for(server: AsgiServer) -> None:
    connection = server.open(HEAD + b"Expect: 100-continue\r\nContent-Length: 5000\r\n\r\n")
    assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")
    connection.close()


def test_header_with_an_underscore_is_dropped(server: AsgiServer) -> None:
    """For a WSGI application it would be the one with a hyphen."""
    connection = server.open(
        b"GET /health/live HTTP/1.1\r\nHost: x\r\nX_Request_ID: forged\r\n\r\n"
    )
    assert b"forged" not in connection.recv(65536)
    connection.close()


def test_what_is_no_request_behind_one_ends_the_connection(server: AsgiServer) -> None:
    """Its answer comes first; nothing is awaited of such a client."""
    connection = server.open(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\nhello\r\n\r\n")
    answer = read_all(connection)
    connection.close()
    assert answer.startswith(b"HTTP/1.1 200 ") and b"\r\nconnection: close\r\n" in answer
    assert answer.count(b"HTTP/1.1") == 1


def test_requests_in_one_piece_are_answered_in_order(server: AsgiServer) -> None:
    """Pipelining, over both ways."""
    one = HEAD + b"X-Request-ID: %s\r\nContent-Length: %d\r\n\r\n%s"
    batch = b'{"transactions": [%s]}' % BODY
    connection = server.open(
        one % (b"first", len(batch), batch)
        + one % (b"second", len(BODY), BODY)
        + LIVE
        + b"X-Request-ID: third\r\nConnection: close\r\n\r\n"
    )
    answer = read_all(connection)
    connection.close()
    places = [answer.index(b"x-request-id: " + name) for name in (b"first", b"second", b"third")]
    assert places == sorted(places) and answer.count(b"HTTP/1.1 200 OK") == 3
