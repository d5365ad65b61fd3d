"""A worker's telemetry from its start to its graceful shutdown; all parts are put together here."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flask import Flask
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from opentelemetry.sdk.resources import Resource

from telemetry import tracing
from telemetry.backlog import Backlog
from telemetry.card_labels import fill_card_labels
from telemetry.deferred_tracing import DeferredTracerProvider
from telemetry.errors import TelemetryError
from telemetry.exemplars import Exemplars
from telemetry.export.data_points import add_histograms
from telemetry.export.export_numbers import ExportNumbers
from telemetry.export.exposition import Exposition, MultiprocessReader
from telemetry.export.gauges import ModelMetadata, build_gauges
from telemetry.export.otlp import build_metric_exporter, build_span_exporter
from telemetry.export.push import PeriodicPush
from telemetry.otel_variables import OtelVariables, drop_empty_variables, read_otel_variables
from telemetry.providers import build_meter_provider, build_tracer_provider
from telemetry.recorder import Recorder
from telemetry.request_trace import RequestTracer
from telemetry.resource import SERVICE, build_resource
from telemetry.store.layout import Layout
from telemetry.store.slots import Slot, Slots
from telemetry.store.sources import AllSlots, OneSlot, Snapshot
from telemetry.system_usage import SystemUsageReader
from telemetry.tail_sampling import TraceSettings
from telemetry.totals import Totals, add_up
from telemetry.tracing import Spans


@dataclass(frozen=True)
class Telemetry:
    """A worker's telemetry: what the handler records into, and what it shows."""

    recorder: Recorder
    spans: Spans
    request_tracer: RequestTracer
    exposition: Exposition | None
    system_usage: SystemUsageReader
    totals: Callable[[], Totals]
    collect: Callable[[], MetricsData]
    tracer_provider: DeferredTracerProvider
    _push: PeriodicPush | None
    _slot: Slot

    def instrument(self, app: Flask) -> None:
        """Give the application's requests their spans."""
        tracing.instrument(app, self.tracer_provider)

    @property
    def slot_name(self) -> str:
        """Of the counters: two that count at the same time never have the same."""
        return self._slot.name

    def why_not_writable(self) -> str | None:
        """None while this worker's counts are kept and seen by all workers, else one sentence."""
        return self._slot.why_not_writable()

    def close(self, timeout_seconds: float) -> None:
        """Graceful shutdown: export what is counted and traced, for at most `timeout_seconds`."""
        # Side by side: a dead Collector lets each of the two wait for its whole time.
        deadline = time.monotonic() + timeout_seconds
        spans = threading.Thread(target=self.tracer_provider.shutdown, daemon=True)
        spans.start()
        if self._push is not None:
            self._push.stop(timeout_seconds)
        spans.join(max(0.0, deadline - time.monotonic()))
        self._slot.release()


@dataclass(frozen=True)
class _Worker:
    """What all ways to publish a worker's numbers have in common."""

    slots: Slots
    slot: Slot
    layout: Layout
    resource: Resource
    model: ModelMetadata
    usage: SystemUsageReader
    count_backlog: Callable[[], int]
    exemplars: Exemplars
    traces: TraceSettings


def start(
    folder: Path,
    model: ModelMetadata,
    port: int,
    environ: Mapping[str, str],
    traces: TraceSettings | None = None,
    spare: int | None = None,
) -> Telemetry:
    """Claim a slot in `folder` and begin to publish, as the OTEL_* variables in `environ` say.

    `spare`: the slot with this number is allocated too, for a worker beside the usual ones.

    Raises TelemetryError for a value that cannot be used, or a folder that cannot hold the counts.
    """
    variables = read_otel_variables(environ)
    drop_empty_variables(os.environ)
    layout = Layout(fill_card_labels(model.features, model.score, model.slots))
    slots = Slots(folder, layout)
    slot = slots.claim()
    if spare is not None:
        slots.reserve(spare)
    worker = _Worker(
        slots=slots,
        slot=slot,
        layout=layout,
        resource=build_resource(slot.index),
        model=model,
        usage=SystemUsageReader(folder),
        count_backlog=Backlog(port).count,
        exemplars=Exemplars(),
        traces=traces or TraceSettings(),
    )
    try:
        return _publish(worker, variables)
    except TelemetryError:
        slot.release()
        raise


def _publish(worker: _Worker, variables: OtelVariables) -> Telemetry:
    exporter = build_span_exporter() if variables.export_spans else None
    model = worker.model
    recorder = Recorder(
        worker.slot,
        worker.layout,
        worker.exemplars,
        model.features,
        model.score,
        model.slots.champion,
    )
    tracer_provider = build_tracer_provider(
        worker.resource, exporter, worker.traces, recorder, worker.exemplars
    )
    tracer = tracer_provider.get_tracer(SERVICE)
    everything = AllSlots(worker.slots)
    collect = _build_collect(worker)
    exposition = _build_exposition(worker, everything) if variables.enabled else None
    push = _start_push(worker, collect, everything, variables) if variables.export_metrics else None
    return Telemetry(
        recorder=recorder,
        spans=Spans(tracer),
        request_tracer=RequestTracer(tracer),
        exposition=exposition,
        system_usage=worker.usage,
        totals=partial(add_up, everything, worker.layout),
        collect=collect,
        tracer_provider=tracer_provider,
        _push=push,
        _slot=worker.slot,
    )


def _build_collect(worker: _Worker) -> Callable[[], MetricsData]:
    """A function that collects this worker's own numbers, for the push."""
    own = OneSlot(worker.slots, worker.slot.index)
    gauges = build_gauges(own, worker.model, worker.usage, partial(_count_backlog, worker))
    reader, snapshot = InMemoryMetricReader(), Snapshot(own)
    build_meter_provider(reader, worker.resource, worker.layout, snapshot, gauges)
    return partial(_collect, reader, worker.layout, snapshot, worker.exemplars)


def _count_backlog(worker: _Worker) -> int:
    """It is the service's, not a worker's: the first one that lives publishes it for all of them,
    for a slot may be nobody's for long."""
    first = worker.slots.find_first_alive() == worker.slot.index
    return worker.count_backlog() if first else 0


def _collect(
    reader: InMemoryMetricReader, layout: Layout, snapshot: Snapshot, exemplars: Exemplars
) -> MetricsData:
    snapshot.refresh()
    data = reader.get_metrics_data()
    if data is None:
        return MetricsData(resource_metrics=[])
    return add_histograms(data, layout, snapshot, exemplars.take())


def _build_exposition(worker: _Worker, everything: AllSlots) -> Exposition:
    """What `/metrics` shows: the sum over all workers."""
    snapshot = Snapshot(everything)
    reader = MultiprocessReader(partial(add_histograms, layout=worker.layout, snapshot=snapshot))
    gauges = build_gauges(everything, worker.model, worker.usage, worker.count_backlog)
    build_meter_provider(reader, worker.resource, worker.layout, snapshot, gauges)
    return Exposition(reader, snapshot.refresh)


def _start_push(
    worker: _Worker,
    collect: Callable[[], MetricsData],
    everything: AllSlots,
    variables: OtelVariables,
) -> PeriodicPush:
    exporter, log = build_metric_exporter()
    numbers = ExportNumbers(worker.slot, worker.layout)
    push = PeriodicPush(
        collect, everything.activity, exporter, variables.interval_seconds, numbers, log
    )
    push.start()
    return push
