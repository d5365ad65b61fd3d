"""uvicorn's HTTP protocol with what keeps a connection from being held: uvicorn itself has no time
limit for a request's head, its body or the reading of an answer, and none for the head's size.

Nothing here sets a timer for each request: `Server` looks at all connections once a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from service.asgi.application import AsgiApplication
from service.asgi.crowding import close_longest_waiting
from service.asgi.request import AsgiRequest, Problem
from service.asgi.unknown_method import NOBODYS, replace_unknown_method
from service.asgi.wire import format_answer
from service.errors import ApiError
from service.flask_io import DRAINED_BYTES
from service.responses import Answer
from telemetry.metrics import LIVE_ENDPOINT

if TYPE_CHECKING:
    from service.asgi.types import Scope

# In bytes; what Apache and nginx allow is 8 to 32 KiB.
_MOST_HEAD_BYTES = 32 * 1024
_PREDICT = LIVE_ENDPOINT.encode()
_USUAL = (b"POST ", b"GET ")
_MALFORMED = "this is no HTTP/1.1 request"


class BoundedProtocol(HttpToolsProtocol):
    """One connection.

    `idle_since`: nothing is awaited but a next request; `receiving_since`: a request has begun and
    is not whole; `unsent_since`: an answer is not taken. Seconds of the loop's clock, None while it
    is not so.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        application = self.config.app
        assert isinstance(application, AsgiApplication)
        self._application = application
        self._settings = application.settings
        self.idle_since: float | None = None
        self.receiving_since: float | None = None
        self.unsent_since: float | None = None
        self._received = 0
        self._head_is_whole = False
        # The body of a prediction, while it may be answered as soon as it is whole.
        self._body: bytes | None = None
        self._accepted: AsgiRequest | None = None
        self._unknown_method = ""

    # From the transport.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A first request is awaited as if it had begun."""
        super().connection_made(transport)
        # So that `pause_writing` tells of everything that a client has not taken.
        transport.set_write_buffer_limits(high=0)
        self.receiving_since = self.loop.time()
        too_many = len(self.connections) > self._settings.max_connections
        if too_many and not close_longest_waiting(self._others()):
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Parse it, unless a request is longer than any that is read."""
        if self.transport.is_closing():
            return
        if self.receiving_since is None:
            self._begin_receiving()
        if self._received == 0 and not data.startswith(_USUAL):
            data, self._unknown_method = replace_unknown_method(data)
        super().data_received(data)
        if self.receiving_since is None:
            return
        if self._body is not None:
            self._start_task()
        self._received += len(data)
        if not self._head_is_whole and self._received > _MOST_HEAD_BYTES:
            self.send_400_response(f"the head has more than {_MOST_HEAD_BYTES} bytes")
        elif self._received > DRAINED_BYTES + self._settings.max_body_bytes:
            self.transport.abort()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.unsent_since = self.loop.time()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.unsent_since = None

    # From the parser.

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begin_receiving()

    def on_headers_complete(self) -> None:
        """A prediction waits for its body: if that comes in the same piece, it needs no task."""
        self._head_is_whole = True
        if self.transport.is_closing():  # Behind the last answer: nobody could be told of it.
            return
        plain = self.url == _PREDICT and self.parser.get_method() == b"POST"
        if plain and not self._is_answering() and not self.flow.write_paused:
            self._body = b""
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._body is not None:
            self._body += body
        elif not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        self.receiving_since = None
        if self.transport.is_closing():
            return
        if self._body is not None:
            body, self._body = self._body, None
            if self._answer_at_once(body):
                return
            self._body = body
            self._start_task()
        super().on_message_complete()
        if not self._is_answering():
            # The answer did not wait for the body.
            self.idle_since = self.loop.time()

    def _answer_at_once(self, body: bytes) -> bool:
        """True where the request is answered, without task and without uvicorn's cycle."""
        scope = cast("Scope", self.scope)
        scope.update(
            method="POST", path=LIVE_ENDPOINT, raw_path=_PREDICT, query_string=b"",
            http_version=self.parser.get_http_version(),
        )  # fmt: skip
        request = self._application.accept(scope)
        if not self._application.answer_at_once(request, body, partial(self._write, request)):
            self._accepted = request
            return False
        return True

    def _write(self, request: AsgiRequest, answer: Answer) -> None:
        """As uvicorn's cycle does, in one piece."""
        close = (
            self._application.stopping
            or self.parser.get_http_version() == "1.0"
            or not self.parser.should_keep_alive()
        )
        servers_own = self.server_state.default_headers
        self.transport.write(format_answer(request.record, answer, servers_own, close))
        self.server_state.total_requests += 1
        if close:
            self.transport.close()
        else:
            self.idle_since = self.loop.time()

    def _start_task(self) -> None:
        """The way of all other requests, with what has come of the body."""
        body, self._body = self._body, None
        super().on_headers_complete()
        if body:
            super().on_body(body)

    def _begin_receiving(self) -> None:
        self.idle_since = None
        self.receiving_since = self.loop.time()
        self._received = 0
        self._head_is_whole = False

    # From uvicorn.

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        scope = cast("Scope", cycle.scope)
        if self._unknown_method and scope["method"] == NOBODYS:
            scope["method"], self._unknown_method = self._unknown_method, ""
        accepted, self._accepted = self._accepted, None
        request = accepted or self._application.accept(scope)
        request.problem = scope["state"].get("problem")
        scope["state"]["request"] = request
        if self._application.stopping:
            cycle.keep_alive = False
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """As uvicorn does, without its timer for the next request."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif self.receiving_since is None:
            self.idle_since = self.loop.time()

    def send_400_response(self, msg: str) -> None:
        """What the parser refuses: answered by the application if it has the request already."""
        if self._body is not None:
            self._start_task()
        if self._give_up_body(Problem.MALFORMED):
            return
        if self._is_answering():
            # What came before it is answered, then the connection ends.
            self.cycle.keep_alive = False
            return
        if self._head_is_whole:
            # It is answered already.
            self.transport.close()
        else:
            self._refuse_unread(ApiError("bad_request", _MALFORMED if "Invalid" in msg else msg))

    # From the server, at its end and once a second.

    def begin_closing(self) -> None:
        """The answer that is being made is this connection's last one."""
        if self._is_answering():
            self.cycle.keep_alive = False

    def close_if_late(self, now: float) -> bool:
        """End what a client has held for longer than the settings allow; True if there was such."""
        allowed = now - self._settings.client_seconds
        if self.unsent_since is not None and self.unsent_since < allowed:
            self.transport.abort()
        elif self.transport.is_closing():
            return False
        elif self.receiving_since is not None and self.receiving_since < allowed:
            self._give_up_request()
        elif (
            self.idle_since is not None
            and self.idle_since < now - self._settings.keep_alive_seconds
        ):
            self.transport.close()
        else:
            return False
        return True

    def waits_since(self) -> float | None:
        """Since when nothing is done for this connection but waiting for its client."""
        if self._is_answering() and not self.cycle.more_body:
            return None
        return self.idle_since or self.receiving_since

    def _others(self) -> Iterator[BoundedProtocol]:
        for one in self.connections:
            if one is not self and isinstance(one, BoundedProtocol):
                yield one

    def _give_up_request(self) -> None:
        if self._give_up_body(Problem.LATE):
            return
        if self._is_answering():
            # The answer to the request before is still being made: the connection ends with it.
            self.cycle.keep_alive = False
        elif self._received and not self._head_is_whole:
            message = f"the request did not arrive within {self._settings.client_seconds} seconds"
            self._refuse_unread(ApiError("request_timeout", message))
        else:
            self.transport.close()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _give_up_body(self, problem: Problem) -> bool:
        """True where the application waits for the rest of a body: it is told that none comes."""
        if not self._head_is_whole or not self._is_answering() or not self.cycle.more_body:
            return False
        self.receiving_since = None
        cycle = self.cycle
        state = cycle.scope["state"]
        if "request" in state:
            state["request"].problem = problem
        else:
            # It waits for the answer to the request before.
            state["problem"] = problem
        cycle.keep_alive = False
        cycle.more_body = False
        cycle.message_event.set()
        return True

    def _refuse_unread(self, error: ApiError) -> None:
        """Answer what the application never sees, and close."""
        self.receiving_since = None
        self.transport.write(self._application.refuse_unread(error))
        self.transport.close()
