"""`/metrics`: the sum over all workers in Prometheus' exposition format (multiprocess mode)."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics.export import MetricsData
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder


class MultiprocessReader(PrometheusMetricReader):
    """The packaged reader, with the histograms that `add_histograms` adds."""

    def __init__(self, add_histograms: Callable[[MetricsData], MetricsData]) -> None:
        self.registry = CollectorRegistry()
        self._add_histograms = add_histograms
        super().__init__(disable_target_info=True, scope_info_enabled=False, registry=self.registry)

    def _receive_metrics(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any
    ) -> None:
        super()._receive_metrics(self._add_histograms(metrics_data), timeout_millis, **kwargs)


class Exposition:
    """Renders one scrape at a time: two at once would each find the other's series too.

    `refresh` is called before each.
    """

    def __init__(self, reader: MultiprocessReader, refresh: Callable[[], None]) -> None:
        self._registry = reader.registry
        self._refresh = refresh
        self._lock = Lock()

    def render(self, accept: str) -> tuple[bytes, str]:
        """The body and its content type, in the best format of the Accept header `accept`."""
        encode, content_type = choose_encoder(accept)
        with self._lock:
            self._refresh()
            return encode(self._registry), content_type
