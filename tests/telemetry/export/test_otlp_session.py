"""Exports on their way: past the proxy to hosts nearby, through it to public ones."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData
from opentelemetry.sdk.trace.export import SpanExportResult

from telemetry.export.otlp import build_metric_exporter, build_span_exporter
from telemetry.export.otlp_session import OtlpSession

NOTHING = MetricsData(resource_metrics=[])


class Server:
    """Remembers what was asked for, and answers with `status`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 200
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                server.asked.append(self.path)
                self.send_response(server.status)
                if 300 <= server.status < 400:
                    self.send_header("Location", "https://elsewhere.example/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def target() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The proxy of an office, which the environment names for everything."""
    made = Server()
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, made.url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield made
    made.close()


def test_exports_to_loopback_go_through_no_proxy(
    proxy: Server, target: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", target.url)
    exporter, _ = build_metric_exporter()
    assert exporter.export(NOTHING) is MetricExportResult.SUCCESS
    assert build_span_exporter().export([]) is SpanExportResult.SUCCESS
    assert (target.asked, proxy.asked) == (["/v1/metrics", "/v1/traces"], [])


def test_exports_to_a_public_host_go_through_the_proxy(
    proxy: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.example.com")
    exporter, _ = build_metric_exporter()
    assert exporter.export(NOTHING) is MetricExportResult.SUCCESS
    assert proxy.asked == ["http://collector.example.com/v1/metrics"]


def test_no_proxy_is_obeyed_for_public_hosts(
    proxy: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "example.com")
    settings = OtlpSession().merge_environment_settings(
        "http://collector.example.com", {}, None, None, None
    )
    assert "http" not in settings["proxies"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_is_a_failure(
    target: Server, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """The packaged exporter alone takes it for success: everything would be lost in silence."""
    target.status = status
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", target.url)
    exporter, _ = build_metric_exporter()
    assert exporter.export(NOTHING) is MetricExportResult.FAILURE


def test_certificate_that_was_named_is_not_replaced_by_that_of_other_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REQUESTS_CA_BUNDLE is for all Python programs of an office machine."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "office.pem"))
    session = OtlpSession()
    session.verify = str(tmp_path / "collector.pem")
    settings = session.merge_environment_settings("https://collector.example", {}, None, None, None)
    assert settings["verify"] == str(tmp_path / "collector.pem")
