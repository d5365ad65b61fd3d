"""An OTLP/HTTP target in the place of Tempo that remembers every span."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.lab.http_server import QuietHandler, serve


@dataclass
class SpanSink:
    """What has arrived so far: spans, and the attributes of their resources."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    resources: list[dict[str, str]] = field(default_factory=list)

    def add(self, request: ExportTraceServiceRequest) -> None:
        """Keep what one push holds."""
        for per_resource in request.resource_spans:
            attributes = per_resource.resource.attributes
            self.resources.append({each.key: each.value.string_value for each in attributes})
            for per_scope in per_resource.scope_spans:
                self.spans.extend(per_scope.spans)

    def traces(self) -> set[str]:
        """The ids of the traces that arrived."""
        return {span.trace_id.hex() for span in self.spans}

    def wait_for_quiet(self, quiet_seconds: float, at_most: float) -> None:
        """Returns when nothing has arrived for a while."""
        deadline, count, since = time.monotonic() + at_most, -1, time.monotonic()
        while time.monotonic() < deadline and time.monotonic() - since < quiet_seconds:
            if len(self.spans) != count:
                count, since = len(self.spans), time.monotonic()
            time.sleep(0.1)


@contextmanager
def span_sink() -> Iterator[SpanSink]:
    """A sink that listens until the end of the block."""
    sink = SpanSink()

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            body = self.body()
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            sink.add(ExportTraceServiceRequest.FromString(body))
            self.answer(200)

    with serve(Handler) as server:
        sink.url = server.url
        yield sink
