"""What happens around every request, without any web framework: its id, its counts, its log line,
and the one shape of every refusal.

    begin ─▶ refuse or fail, if it goes wrong ─▶ finish: counted and logged ─▶ end
"""

from __future__ import annotations

import logging
import re
import secrets
import time
import traceback

from service.errors import ApiError
from service.requests import name_endpoint
from service.responses import Answer, answer_error
from telemetry.logs import log_request
from telemetry.metrics import PROBES
from telemetry.recorder import Recorder
from telemetry.tracing import mark_failed, mark_refused

REQUEST_ID = "X-Request-ID"
# In a WSGI environ: the record of a request that was accepted before Flask sees it.
RECORD = "fraud_handler.request_record"
_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_log = logging.getLogger("handler")


class RequestRecord:
    """One request, from the moment at which it is accepted.

    `id` is the caller's where it is safe. It counts as waiting until `end`, which must follow
    whatever happens to the request.
    """

    __slots__ = ("_recorder", "_waits", "answered", "endpoint", "error_type", "id", "method",
                 "started")  # fmt: skip

    def __init__(self, recorder: Recorder, method: str, path: str, given_id: str) -> None:
        self.started = time.perf_counter()
        self.id = given_id if _SAFE_ID.fullmatch(given_id) else secrets.token_hex(16)
        self.method = method
        self.endpoint = name_endpoint(path.rstrip("/") or "/")
        self.error_type: str | None = None
        self._recorder = recorder
        self.answered = False
        # Who watches the queue does not stand in it.
        self._waits = self.endpoint not in PROBES
        if self._waits:
            recorder.record_request_start()

    def refuse(self, error: ApiError) -> Answer:
        """Count the error, mark the current span, and say it to the caller."""
        self._recorder.record_error(error.type, self.endpoint)
        self.error_type = error.type
        mark_refused(error.type)
        return answer_error(error, self.id)

    def fail(self, error: Exception) -> Answer:
        """The service's own fault: the log has the place, the caller the request id."""
        # The exception's own message may echo what the caller sent: it is not logged.
        stack = "".join(traceback.format_tb(error.__traceback__))
        extra = {"request_id": self.id, "stack": stack}
        _log.error("a request failed: %s", type(error).__name__, extra=extra)
        mark_failed()
        message = "the service failed on this request; its log has the place by the request id"
        return self.refuse(ApiError("internal", message))

    def finish(self, status: int) -> None:
        """The answer is made: count the request and log it, once, before it leaves."""
        if self.answered:
            return
        self.answered = True
        seconds = time.perf_counter() - self.started
        self._recorder.record_response(self.method, self.endpoint, status, seconds)
        level = logging.DEBUG if self.endpoint in PROBES else logging.INFO
        log_request(level, self.id, self.method, self.endpoint, status, seconds, self.error_type)

    def end(self) -> None:
        """The request waits no longer: it is answered, or given up."""
        if self._waits:
            self._waits = False
            self._recorder.record_request_end()
