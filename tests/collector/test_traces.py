"""Which traces are kept, and what is left in them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)

from stack.traces.spans import FILE, read_traces
from tests.lab.fixtures import MakeCollector
from tests.lab.polling import until
from tests.lab.sdk_worker import sdk_worker
from tests.lab.span_sink import SpanSink, span_sink

pytestmark = pytest.mark.stack

SHARE = 10


@pytest.fixture
def sink() -> Iterator[SpanSink]:
    """In the place of Tempo."""
    with span_sink() as sink:
        yield sink


def call(trace_id: int) -> Context:
    """The context of a request that somebody else's span has sent."""
    caller = SpanContext(trace_id, 1, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(caller))


def request(
    tracer: Tracer,
    status: int = 200,
    seconds: float = 0.002,
    class_name: str = "legitimate",
    context: Context | None = None,
) -> str:
    """One request's spans as the handler makes them; gives the trace id."""
    began = time.time_ns()
    server = tracer.start_span("POST /predict", context, SpanKind.SERVER, start_time=began)
    server.set_attribute("http.request.method", "POST")
    server.set_attribute("http.route", "/predict")
    server.set_attribute("http.response.status_code", status)
    if status >= 500:
        server.set_status(Status(StatusCode.ERROR))
    if status == 200:
        score = tracer.start_span("score", set_span_in_context(server), start_time=began)
        score.set_attribute("prediction.class_name", class_name)
        score.end(began + 1_000_000)
    server.end(began + int(seconds * 1e9))
    return format(server.get_span_context().trace_id, "032x")


def is_sampled(trace_id: str) -> bool:
    """The Collector's rule by trace id, as base.yaml promises it to those who write exemplars."""
    return int(trace_id, 16) % 65536 < 65536 * SHARE // 100


def test_errors_slow_requests_frauds_and_called_ones_are_all_kept_and_a_share_of_the_rest(
    make_collector: MakeCollector, sink: SpanSink
) -> None:
    """All 20 of each kind that matters arrive, of 1,000 others the tenth that their ids name."""
    running = make_collector(
        TEMPO_URL=sink.url, TRACES_DECISION_WAIT="1s", TRACES_SHARE_PERCENT=str(SHARE)
    ).start()
    with sdk_worker(running.endpoint) as worker:
        kept = {
            "failed": [request(worker.tracer, status=500) for _ in range(20)],
            "refused": [request(worker.tracer, status=400) for _ in range(20)],
            "slow": [request(worker.tracer, seconds=0.6) for _ in range(20)],
            "fraud": [request(worker.tracer, class_name="fraud") for _ in range(20)],
            "called": [request(worker.tracer, context=call(n << 16 | 0xFFFF)) for n in range(20)],
        }
        rest = [request(worker.tracer) for _ in range(1000)]
        robots = [request(worker.tracer, status=404) for _ in range(100)]
    sink.wait_for_quiet(quiet_seconds=4, at_most=30)
    arrived = sink.traces()
    assert {kind: len(arrived & set(ids)) for kind, ids in kept.items()} == dict.fromkeys(kept, 20)
    assert arrived & set(rest) == {each for each in rest if is_sampled(each)}
    assert arrived & set(robots) == {each for each in robots if is_sampled(each)}
    assert 50 < len(arrived & set(rest)) < 150
    whole = [span for span in sink.spans if span.trace_id.hex() in set(rest) & arrived]
    assert len(whole) == 2 * len(arrived & set(rest))


SECRETS: dict[str, str | float] = {
    "url.query": "card=4111111111111111",
    "url.path": "/predict/4111111111111111",
    "url.full": "http://h/predict?card=4111111111111111",
    "client.address": "203.0.113.7",
    "network.peer.address": "203.0.113.7",
    "user_agent.original": "somebody/1.0",
    "enduser.id": "jane",
    "amount": 4111.11,
    "http.request.header.authorization": "Bearer 4111111111111111",
}


def test_spans_carry_nothing_of_the_request(make_collector: MakeCollector, sink: SpanSink) -> None:
    """Attributes beyond the known ones, exception messages and unknown paths never arrive."""
    running = make_collector(
        TEMPO_URL=sink.url, TRACES_DECISION_WAIT="1s", TRACES_SHARE_PERCENT="100"
    ).start()
    with sdk_worker(running.endpoint) as worker:
        span = worker.tracer.start_span("GET /predict/4111111111111111", kind=SpanKind.SERVER)
        span.set_attributes(SECRETS)
        span.set_attribute("http.request.method", "GET")
        span.set_attribute("http.response.status_code", 404)
        span.record_exception(ValueError("could not convert '4111111111111111'"))
        span.set_status(Status(StatusCode.ERROR, "ValueError: '4111111111111111'"))
        span.end()
    sink.wait_for_quiet(quiet_seconds=3, at_most=15)
    (seen,) = sink.spans
    assert seen.name == "GET"
    assert {each.key for each in seen.attributes} == {
        "http.request.method",
        "http.response.status_code",
    }
    assert [[each.key for each in event.attributes] for event in seen.events] == [
        ["exception.type", "exception.escaped"]
    ]
    everything = str(seen)
    assert not [
        value for value in ("4111", "203.0.113.7", "jane", "somebody") if value in everything
    ]
    assert sink.resources[0].keys() == {
        "service.name",
        "service.instance.id",
        "service.version",
    }


def test_traces_wait_for_a_target_that_is_down(
    make_collector: MakeCollector, sink: SpanSink
) -> None:
    """Sampled traces are kept on disk until Tempo is there, over a SIGKILL of the Collector."""
    nowhere = "http://127.0.0.1:1"
    running = make_collector(TEMPO_URL=nowhere, TRACES_DECISION_WAIT="1s").start()
    with sdk_worker(running.endpoint) as worker:
        kept = [request(worker.tracer, status=500) for _ in range(10)]
        time.sleep(3)  # the decision, and the first tries
        running.kill()
    running.env["TEMPO_URL"] = sink.url
    running.start()
    sink.wait_for_quiet(quiet_seconds=3, at_most=15)
    assert sink.traces() == set(kept)


def test_kept_traces_are_in_a_file_where_no_tempo_is(
    make_collector: MakeCollector, tmp_path: Path
) -> None:
    """All of the kept ones with all of their spans, none of the others; readable over a restart."""
    folder = tmp_path / "traces"
    running = make_collector(
        TRACES_FILE=str(folder / FILE), TRACES_DECISION_WAIT="1s", TRACES_SHARE_PERCENT=str(SHARE)
    ).start()
    with sdk_worker(running.endpoint) as worker:
        kept = {request(worker.tracer, class_name="fraud") for _ in range(20)}
        rest = {request(worker.tracer) for _ in range(300)}
    kept |= {each for each in rest if is_sampled(each)}
    until(lambda: {each.trace_id for each in read_traces(folder)} == kept, 30, "the kept ones")
    running.terminate()
    running.start()
    with sdk_worker(running.endpoint) as worker:
        later = request(worker.tracer, status=500)
        until(lambda: later in {each.trace_id for each in read_traces(folder)}, 30, "a later one")
    traces = read_traces(folder)
    assert {each.trace_id for each in traces} == kept | {later}
    assert [len(each.spans) for each in traces] == [1] + [2] * len(kept)


def test_file_of_traces_is_bounded(make_collector: MakeCollector, tmp_path: Path) -> None:
    """One that is full is set aside; of those only the last stays."""
    folder = tmp_path / "traces"
    running = make_collector(
        TRACES_FILE=str(folder / FILE), TRACES_FILE_MIB="1", TRACES_DECISION_WAIT="1s"
    ).start()

    def written() -> int:
        return sum(path.stat().st_size for path in folder.glob("*"))

    most = 0
    newest = ""
    with sdk_worker(running.endpoint) as worker:
        for _ in range(40):
            newest = [request(worker.tracer, class_name="fraud") for _ in range(250)][-1]
            most = max(most, written())
        until(lambda: newest in {each.trace_id for each in read_traces(folder)}, 60, "the last")
    sent = 40 * 250 * 2 * 300  # a span takes at least so many bytes
    assert max(most, written()) < 2.5 * 1024 * 1024 < sent
    assert len(list(folder.glob("*"))) <= 3
