"""The ASGI application: which way a request takes, and what is refused before it takes any."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from service.asgi.request import AsgiRequest, ClientGone, Problem
from service.asgi.single import FAULT, SinglePredictions
from service.asgi.threads import BoundedThreads, PoolFull
from service.asgi.types import Receive, Scope, Send
from service.asgi.wire import format_answer, send_answer
from service.asgi.wsgi_bridge import WsgiApplication, build_environ, call_wsgi, send_wsgi_answer
from service.errors import ApiError
from service.readiness import Readiness
from service.request_record import RequestRecord
from service.responses import Answer
from service.settings import Settings
from telemetry.metrics import LIVE_ENDPOINT, OTHER, PLATFORM_PROBES
from telemetry.recorder import Recorder

# In seconds, of the largest batch on a machine under load.
_LONGEST_SCORING = 5.0


class AsgiApplication:
    """`single` is None where no prediction may be made on the event loop.

    A server may call `accept` as soon as it knows a request's head, so that requests which wait
    for the event loop are counted, and those too many are refused at once.
    """

    def __init__(
        self,
        flask: WsgiApplication,
        single: SinglePredictions | None,
        recorder: Recorder,
        readiness: Readiness,
        settings: Settings,
    ) -> None:
        self.flask = flask
        self.readiness = readiness
        self.settings = settings
        self.answers_itself = single is not None
        # The server sets it: every answer is then its connection's last one.
        self.stopping = False
        self._single = single
        self._recorder = recorder
        self._waiting = 0
        self._in_turn = 0
        self._threads = BoundedThreads("flask", settings.worker_threads, settings.max_waiting)
        # One for batches: scoring is computing, which threads of Python do in turns, and each that
        # waits for its turn keeps the event loop from one. A model that may wait keeps the others.
        self._scoring = BoundedThreads("scoring", 1, settings.max_waiting) if single else None
        # The platform is answered while all others are busy.
        self._probes = BoundedThreads("probes", 1, settings.max_waiting)

    def accept(self, scope: Scope) -> AsgiRequest:
        """The request, counted from now on; crowded where too many wait for the event loop, or
        came in one of its turns."""
        if self._in_turn == 0:
            asyncio.get_running_loop().call_soon(self._end_turn)
        self._in_turn += 1
        self._waiting += 1
        crowded = max(self._in_turn, self._waiting) > self.settings.max_waiting
        return AsgiRequest(scope, self._recorder, crowded)

    def _end_turn(self) -> None:
        self._in_turn = 0

    def answer_at_once(
        self, request: AsgiRequest, body: bytes, write: Callable[[Answer], None]
    ) -> bool:
        """False for a request that must wait for its turn. What is accepted and whole, and needs
        no thread, or gets none, a server may have answered without any task of its own."""
        if self._single is None:
            return False
        at_once = self._single.takes(request, body)
        crowded = request.crowded or (not at_once and self._choose_pool(request).turns_away())
        if not (at_once or crowded):
            return False
        self._waiting -= 1
        if crowded:
            write(self._refuse(request, _overloaded()))
            return True
        with self._single.begin_trace(request) as trace:
            # The spans are written when the block ends, after the answer.
            write(self._single.answer(request, body, trace))
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _answer_lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"this application speaks HTTP only, not {scope['type']}")
        request: AsgiRequest = scope.get("state", {}).get("request") or self.accept(scope)
        self._waiting -= 1
        try:
            await self._answer(request, receive, send)
        except ClientGone:
            self._refuse(request, _body_ends_early())
        except asyncio.CancelledError:
            if request.record.answered:
                raise
            error = ApiError("unavailable", "the service is being stopped")
            await send_answer(request.record, self._refuse(request, error), send)
        finally:
            request.record.end()

    async def _answer(self, request: AsgiRequest, receive: Receive, send: Send) -> None:
        if request.crowded:
            await send_answer(request.record, self._refuse(request, _overloaded()), send)
            return
        body = await request.read_body(receive, self.settings.max_body_bytes)
        if request.problem is not None:
            await send_answer(
                request.record, self._refuse(request, self._translate(request.problem)), send
            )
            return
        if self._single is not None and self._single.takes(request, body):
            with self._single.begin_trace(request) as trace:
                # The spans are written when the block ends, after the answer.
                await send_answer(request.record, self._single.answer(request, body, trace), send)
            return
        await self._answer_by_flask(request, body, send)

    async def _answer_by_flask(self, request: AsgiRequest, body: bytes, send: Send) -> None:
        pool = self._choose_pool(request)
        environ = build_environ(request, body)
        try:
            answer = await pool.run(partial(call_wsgi, self.flask, environ))
        except PoolFull:
            await send_answer(request.record, self._refuse(request, _overloaded()), send)
        except Exception as error:
            failed = request.record.fail(error)
            request.record.finish(failed.status)
            await send_answer(request.record, failed, send)
        else:
            await send_wsgi_answer(answer, send)

    def _choose_pool(self, request: AsgiRequest) -> BoundedThreads:
        endpoint = request.record.endpoint
        if endpoint in PLATFORM_PROBES:
            return self._probes
        # An explanation, asked for in the query, takes much longer, and an injected fault waits.
        computes = endpoint == LIVE_ENDPOINT and not request.query and FAULT not in request.headers
        return self._scoring if self._scoring and computes else self._threads

    @property
    def answered(self) -> int:
        """Requests that this worker has answered."""
        return self._recorder.answered

    def is_stuck(self) -> bool:
        """True while one call for a score lasts longer than any may."""
        return self._scoring is not None and self._scoring.longest_running() > _LONGEST_SCORING

    def refuse_unread(self, error: ApiError) -> bytes:
        """The whole answer to what the server cannot read as a request; counted and logged."""
        record = RequestRecord(self._recorder, OTHER, OTHER, "")
        answer = record.refuse(error)
        record.finish(answer.status)
        record.end()
        return format_answer(record, answer, [], close=True)

    def _refuse(self, request: AsgiRequest, error: ApiError) -> Answer:
        answer = request.record.refuse(error)
        request.record.finish(answer.status)
        request.record.end()
        return answer

    def _translate(self, problem: Problem) -> ApiError:
        if problem is Problem.MALFORMED:
            return _body_ends_early()
        seconds = self.settings.client_seconds
        return ApiError("request_timeout", f"the request did not arrive within {seconds} seconds")


def _overloaded() -> ApiError:
    message = "more requests wait than can be answered soon: try again"
    return ApiError("unavailable", message, headers={"Retry-After": "1"})


def _body_ends_early() -> ApiError:
    message = "the body ends early, or its chunks are not well-formed"
    return ApiError("bad_request", message)


async def _answer_lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
