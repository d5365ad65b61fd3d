"""An answer as ASGI takes it, and as it stands on the wire (RFC 9112)."""

from __future__ import annotations

from http import HTTPStatus

from service.asgi.types import Headers, Send
from service.request_record import REQUEST_ID, RequestRecord
from service.responses import JSON, Answer
from service.security_headers import SECURITY_HEADERS
from telemetry.tracing import TRACE_RESPONSE, describe_current_trace

_SECURITY: Headers = [
    (name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()
]
_REQUEST_ID = REQUEST_ID.lower().encode()
_TRACE_RESPONSE = TRACE_RESPONSE.encode()
_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


def _join(headers: Headers) -> bytes:
    return b"".join(name + b": " + value + b"\r\n" for name, value in headers)


_SAME_FOR_ALL = _join([(b"content-type", JSON.encode()), *_SECURITY])
_CLOSE = b"connection: close\r\n"


def format_answer(
    record: RequestRecord, answer: Answer, servers_own: Headers, close: bool = False
) -> bytes:
    """The whole of an answer in JSON; `servers_own` are the headers that the server adds."""
    length = b"content-length: %d\r\n" % len(answer.body)
    own = [*_list_own(answer), *_list_identity(record)]
    return b"".join(
        (
            _STATUS_LINES[answer.status], _join(servers_own), _SAME_FOR_ALL, length, _join(own),
            _CLOSE if close else b"", b"\r\n", answer.body,
        )
    )  # fmt: skip


def _list_own(answer: Answer) -> Headers:
    return [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]


def _list_identity(record: RequestRecord) -> Headers:
    """The request's id, and its trace within one."""
    found = [(_REQUEST_ID, record.id.encode())]
    if trace := describe_current_trace():
        found.append((_TRACE_RESPONSE, trace.encode()))
    return found


async def send_answer(record: RequestRecord, answer: Answer, send: Send) -> None:
    """By ASGI's messages."""
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(len(answer.body)).encode()),
        *_list_own(answer),
        *_SECURITY,
        *_list_identity(record),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
