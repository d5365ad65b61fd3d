"""Exemplars lead to traces that are kept, where there is a choice."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from telemetry.exemplars import Exemplars, will_be_kept

KEPT, DROPPED = 0xAAAA_0001, 0xAAAA_FFFF


def offer(*trace_ids: int, sampled: bool = True) -> dict[int, int]:
    """The trace that one bucket's exemplar leads to after these came by, in their order."""
    exemplars = Exemplars()
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else 0)
    for trace_id in trace_ids:
        span = NonRecordingSpan(SpanContext(trace_id, 1, False, flags))
        with trace.use_span(span):
            exemplars.offer(7, 0.5)
    return {cell: sample.trace_id for cell, sample in exemplars.take().items()}


@pytest.mark.parametrize(
    ("came", "told"),
    [
        ((DROPPED, KEPT), KEPT),
        ((KEPT, DROPPED), KEPT),
        ((KEPT, KEPT + 0x1_0000), KEPT + 0x1_0000),
        ((DROPPED, DROPPED - 1), DROPPED - 1),
    ],
)
def test_kept_trace_is_not_given_up_for_another(came: tuple[int, ...], told: int) -> None:
    assert offer(*came) == {7: told}


def test_unsampled_request_is_no_exemplar() -> None:
    assert offer(KEPT, sampled=False) == {}


def test_share_is_that_of_the_collector(request: pytest.FixtureRequest) -> None:
    """A tenth by default, as the Collector's settings say."""
    text = (request.config.rootpath / "otel-collector/distribution/settings.go").read_text()
    assert 'r.number("TRACES_SHARE_PERCENT", 10, 0, 100)' in text
    kept = sum(will_be_kept(trace_id) for trace_id in range(65536))
    assert kept == 6553
