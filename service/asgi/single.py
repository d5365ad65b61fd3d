"""`POST /predict` for one transaction, answered on the event loop: the path of nearly all traffic.

Whatever is unusual about a request goes through Flask, so this path has no case that Flask has not.
"""

from __future__ import annotations

from service.access import Guard
from service.asgi.request import AsgiRequest
from service.client_limit import ClientLimit
from service.errors import ApiError
from service.fault_injection import HEADER
from service.predict import BATCH, Predictor
from service.requests import PredictRequest, decode_json
from service.responses import JSON, Answer, answer_json
from telemetry.metrics import LIVE_ENDPOINT
from telemetry.request_trace import RequestTrace, RequestTracer

# In bytes. To decode that much takes some ten microseconds; more would keep the loop from others.
LARGEST_BODY = 16 * 1024
_PLAIN = {f"{JSON}{rest}" for rest in ("", "; charset=utf-8", ";charset=utf-8")}
# A header's name as ASGI gives it.
FAULT = HEADER.lower()
_UNUSUAL = frozenset({"content-encoding", "transfer-encoding", "expect", FAULT})
_BATCH = f'"{BATCH}"'.encode()


class SinglePredictions:
    """Answers what it takes; the model must be quick, because nothing else runs meanwhile."""

    def __init__(
        self,
        predictor: Predictor,
        guard: Guard,
        limit: ClientLimit | None,
        tracer: RequestTracer,
        max_body_bytes: int,
    ) -> None:
        self._predictor = predictor
        self._guard = guard
        self._limit = limit
        self._tracer = tracer
        self._most = min(LARGEST_BODY, max_body_bytes)

    def takes(self, request: AsgiRequest, body: bytes) -> bool:
        """True for one transaction in a request that nothing is unusual about."""
        headers = request.headers
        return (
            request.path == LIVE_ENDPOINT
            and request.method == "POST"
            and not request.query
            and not request.repeated
            and headers.get("content-type") in _PLAIN
            and 0 < (request.content_length() or 0) <= self._most
            and _UNUSUAL.isdisjoint(headers)
            and _BATCH not in body
        )

    def begin_trace(self, request: AsgiRequest) -> RequestTrace:
        """The request's trace, as a block around its answer."""
        return self._tracer.begin(request.scope, LIVE_ENDPOINT, request.headers)

    def answer(self, request: AsgiRequest, body: bytes, trace: RequestTrace) -> Answer:
        """The answer, counted and logged; never raises."""
        record, headers = request.record, request.headers
        try:
            if self._limit is not None:
                peer = (request.scope.get("client") or ("",))[0]
                self._limit.check(peer, headers.get("x-forwarded-for", ""))
            self._guard.check(headers.get("authorization", ""))
            # Without a routing key: this path is only taken where there is no challenger.
            prediction = self._predictor.predict(PredictRequest(decode_json(JSON, body)))
            answer = answer_json({**prediction, "request_id": record.id})
        except ApiError as error:
            answer = record.refuse(error)
        except Exception as error:
            answer = record.fail(error)
        trace.finish(answer.status, record.error_type or "")
        record.finish(answer.status)
        record.end()
        return answer
