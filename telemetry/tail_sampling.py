"""Which traces are kept: the policies of the Collector's tail sampler, applied where the spans are.

Their names and limits are those of `otel-collector/config/base.yaml`; the same environment
variables set both. What the service does not keep is never written, sent, or decided on again.
"""

from __future__ import annotations

from dataclasses import dataclass

from telemetry.recorder import Recorder
from telemetry.token_bucket import TokenBucket

# The share is decided by the trace id's last two bytes alone, so that every hop agrees.
_SHARE_OF = 65536
# Unknown paths and methods are mostly other people's robots: they count as ordinary requests.
_ORDINARY_STATUSES = (404, 405)


@dataclass(frozen=True)
class TraceSettings:
    """What is kept beside failures, refusals and predicted frauds.

    `trust_caller`: a caller's `traceparent` is continued, and kept where its sampled flag is set;
    else a request begins a trace of its own that is linked to the caller's.
    `most_per_second` bounds the kept traces of one worker, those of trusted callers excepted; the
    share takes at most half of what there is room for at once.
    """

    share_percent: int = 10
    slow_ms: int = 500
    most_per_second: int = 20
    trust_caller: bool = True


@dataclass(slots=True)
class RequestFacts:
    """What the policies ask of a finished request; `status` is 0 where there is no HTTP status."""

    trace_id: int
    seconds: float
    status: int = 0
    failed: bool = False
    fraud: bool = False
    caller_sampled: bool = False


class TailSampler:
    """Decides at the end of a request whether its trace is kept."""

    def __init__(self, settings: TraceSettings, recorder: Recorder) -> None:
        self._below = _SHARE_OF * settings.share_percent // 100
        self._slow_seconds = settings.slow_ms / 1000
        self._bucket = TokenBucket(settings.most_per_second)
        # For what is remarkable: else much ordinary traffic would leave no room for it.
        self._reserve = settings.most_per_second // 2
        self._recorder = recorder

    def is_in_share(self, trace_id: int) -> bool:
        """True for the share of traces that is kept whatever is in them."""
        return trace_id % _SHARE_OF < self._below

    def has_reason(self, request: RequestFacts) -> bool:
        """True where one of the policies wants the trace."""
        return self.is_in_share(request.trace_id) or self._is_remarkable(request)

    def admit(self, request: RequestFacts) -> bool:
        """True while there is room for a trace that there is a reason to keep; counts it."""
        leave = 0 if self._is_remarkable(request) else self._reserve
        admitted = request.caller_sampled or self._bucket.take(leave)
        self._recorder.record_trace(admitted)
        return admitted

    def _is_remarkable(self, request: RequestFacts) -> bool:
        refused = request.status >= 400 and request.status not in _ORDINARY_STATUSES
        return (
            refused
            or request.failed
            or request.fraud
            or request.caller_sampled
            or request.seconds >= self._slow_seconds
        )
