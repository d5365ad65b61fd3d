"""A handler's worker as the Collector sees it: the real SDK with the contract's instruments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExportResult, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

NEVER = 3_600_000  # ms; the test says when to push


class _RememberingExporter(OTLPMetricExporter):
    """Remembers whether the last push was taken; the SDK's own flush always says yes."""

    taken = False

    def export(self, *arguments: Any, **named: Any) -> MetricExportResult:
        result = super().export(*arguments, **named)
        self.taken = result is MetricExportResult.SUCCESS
        return result


class SdkWorker:
    """Counts as a worker does and pushes to a Collector on demand or by interval."""

    def __init__(
        self,
        endpoint: str,
        instance: str = "laptop-0",
        every_ms: float = NEVER,
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        resource = Resource(
            {
                "service.name": "fraud-handler",
                "service.instance.id": instance,
                "service.version": "0.1.0",
                "host.name": "a-host-that-nobody-needs-to-know",
                **(attributes or {}),
            }
        )
        self._exporter = _RememberingExporter(f"{endpoint}/v1/metrics", timeout=5)
        reader = PeriodicExportingMetricReader(self._exporter, export_interval_millis=every_ms)
        bounds = ExplicitBucketHistogramAggregation((0.001, 0.01, 0.1, 1.0))
        view = View(instrument_name="http.request.duration", aggregation=bounds)
        self._meters = MeterProvider([reader], resource, views=[view])
        self._traces = TracerProvider(resource=resource)
        self._traces.add_span_processor(
            SimpleSpanProcessor(OTLPSpanExporter(f"{endpoint}/v1/traces", timeout=5))
        )
        self.tracer = self._traces.get_tracer("tests")
        self._make_instruments()

    def _make_instruments(self) -> None:
        meter = self._meters.get_meter("telemetry", "1.2.3")
        self.predictions = meter.create_counter("predictions", "{prediction}", "Scored.")
        self.deliveries = meter.create_counter("telemetry.deliveries", "{delivery}", "Taken.")
        self.errors = meter.create_counter("errors", "{error}", "Refused.")
        self.duration = meter.create_histogram("http.request.duration", "s", "Answered in.")
        self.score = meter.create_histogram("fraud.detection.score", "1", "Probability.")
        self.value = meter.create_histogram("transaction.value", "euros", "Amount.")
        meter.create_observable_gauge("model.accuracy", [self._accuracy])
        meter.create_observable_gauge("system.cpu.usage", [self._cpu], "%")
        meter.create_observable_gauge("throughput.requests", [self._throughput], "{request}/s")

    def _accuracy(self, _: CallbackOptions) -> Iterator[Observation]:
        yield Observation(0.93, {"evaluation": "holdout"})

    def _cpu(self, _: CallbackOptions) -> Iterator[Observation]:
        yield Observation(12.5)

    def _throughput(self, _: CallbackOptions) -> Iterator[Observation]:
        yield Observation(3.0)

    def predict(self, count: int = 1, class_name: str = "legitimate") -> None:
        """Counts `count` predictions of one kind."""
        labels = {
            "class_name": class_name,
            "user_type": "standard",
            "endpoint": "/predict",
            "risk_level": "high" if class_name == "fraud" else "low",
        }
        self.predictions.add(count, labels)

    def push(self) -> bool:
        """Sends everything now; False when the Collector did not take it."""
        self._exporter.taken = False
        self._meters.force_flush(5_000)
        return self._exporter.taken

    def close(self) -> None:
        """Sends the last values and ends."""
        self._meters.shutdown()
        self._traces.shutdown()


@contextmanager
def sdk_worker(
    endpoint: str, instance: str = "laptop-0", every_ms: float = NEVER
) -> Iterator[SdkWorker]:
    """A worker that is closed at the end."""
    made = SdkWorker(endpoint, instance, every_ms)
    try:
        yield made
    finally:
        made.close()
