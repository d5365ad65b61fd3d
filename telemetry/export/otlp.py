"""The packaged OTLP exporters, each with a session of ours and a log of its failures."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import MetricExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from telemetry.export.export_log import METRICS, SPANS, ExportLog
from telemetry.export.otlp_session import OtlpSession


def build_metric_exporter() -> tuple[MetricExporter, ExportLog]:
    """An exporter as the OTEL_EXPORTER_OTLP_* variables say, and the log for its results."""
    session = OtlpSession()
    return OTLPMetricExporter(session=session), ExportLog(METRICS, session.take_failure)


def build_span_exporter() -> SpanExporter:
    """An exporter as the OTEL_EXPORTER_OTLP_* variables say, which logs its failures."""
    session = OtlpSession()
    return LoggedSpanExporter(
        OTLPSpanExporter(session=session), ExportLog(SPANS, session.take_failure)
    )


class LoggedSpanExporter(SpanExporter):
    """An exporter whose results are logged."""

    def __init__(self, exporter: SpanExporter, log: ExportLog) -> None:
        self._exporter = exporter
        self._log = log

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """As the exporter does."""
        result = self._exporter.export(spans)
        self._log.report(result is SpanExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        """As the exporter does."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """As the exporter does."""
        return self._exporter.force_flush(timeout_millis)
