"""The log of exports: each kind of failure once, with its reason and the variable to look at."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData

from telemetry.export.export_log import METRICS, SPANS, ExportLog
from telemetry.export.failures import ExportFailure, explain_error, explain_status, redact_url
from telemetry.export.otlp import build_metric_exporter, build_span_exporter
from tests.lab.faulty_proxy import faulty_proxy

NOTHING = MetricsData(resource_metrics=[])


@pytest.fixture(autouse=True)
def no_proxy_and_short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.3")


Say = Callable[[str], str]


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Say:
    """say(endpoint): the line that is logged of a failed export to it."""

    def export(endpoint: str) -> str:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        exporter, log = build_metric_exporter()
        caplog.clear()
        log.report(exporter.export(NOTHING) is MetricExportResult.SUCCESS)
        [line] = lines_of(caplog)
        return line

    return export


def lines_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    own = (record for record in caplog.records if record.name == "telemetry.export.export_log")
    return [record.getMessage() for record in own]


@contextmanager
def listening(answer: bytes | None, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port of a server that gives this answer to everybody, or none at all."""
    listener = socket.create_server(("127.0.0.1", 0))
    accepted: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
                accepted.append(connection)
                if tls is not None:
                    connection = tls.wrap_socket(connection, server_side=True)
                    accepted.append(connection)
                if answer is not None:
                    connection.recv(65536)
                    connection.sendall(answer)
                    connection.close()
            except ssl.SSLError:
                continue
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        for connection in accepted:
            connection.close()


def test_refused_connection_is_named(say: Say) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        port = unheard.getsockname()[1]
        assert say(f"http://127.0.0.1:{port}") == (
            f"metrics cannot be delivered; http://127.0.0.1:{port}/v1/metrics refuses the"
            " connection, see OTEL_EXPORTER_OTLP_ENDPOINT; the counts are kept and sent later"
        )


@pytest.mark.parametrize("endpoint", ["localhost:4318", "collector", "grpc://collector:4317"])
def test_missing_scheme_is_named(say: Say, endpoint: str) -> None:
    assert (
        f"{endpoint}/v1/metrics does not begin with http:// or https://,"
        " see OTEL_EXPORTER_OTLP_ENDPOINT;"
    ) in say(endpoint)


@pytest.mark.parametrize("endpoint", ["http:///", "http://[::1", "http://127.0.0.1:99999"])
def test_address_that_is_none_is_named(say: Say, endpoint: str) -> None:
    assert "is not a valid address, see OTEL_EXPORTER_OTLP_ENDPOINT;" in say(endpoint)


def test_host_without_an_address_is_named(say: Say) -> None:
    said = say("http://collector.invalid:4318")
    assert "the host of http://collector.invalid:4318/v1/metrics cannot be resolved" in said


def test_time_out_is_named(say: Say) -> None:
    with listening(answer=None) as port:
        assert "did not answer in time, see OTEL_EXPORTER_OTLP_TIMEOUT;" in say(
            f"http://127.0.0.1:{port}"
        )


def test_connection_that_is_closed_is_named(say: Say) -> None:
    with listening(answer=b"") as port:
        said = say(f"http://127.0.0.1:{port}")
    assert "closed the connection" in said or "Connection reset" in said


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("301", "redirects elsewhere (status 301), see OTEL_EXPORTER_OTLP_ENDPOINT;"),
        ("400", "refuses the export (status 400), see OTEL_EXPORTER_OTLP_ENDPOINT;"),
        ("401", "refuses the credentials (status 401), see OTEL_EXPORTER_OTLP_HEADERS;"),
        ("403", "refuses the credentials (status 403), see OTEL_EXPORTER_OTLP_HEADERS;"),
        ("404", "(status 404), see OTEL_EXPORTER_OTLP_ENDPOINT;"),
        ("407", "wants credentials (status 407), see HTTPS_PROXY"),
        ("413", "refuses the export (status 413)"),
        ("429", "is overloaded or not ready (status 429)"),
        ("500", "refuses the export (status 500)"),
        ("503", "is overloaded or not ready (status 503)"),
    ],
)
def test_status_is_named(say: Say, status: str, says: str) -> None:
    with faulty_proxy("http://127.0.0.1:1") as target:
        target.mode = status
        assert says in say(target.url)


def test_server_that_speaks_no_tls_is_named(say: Say) -> None:
    with listening(b"HTTP/1.0 200 OK\r\n\r\n") as port:
        said = say(f"https://127.0.0.1:{port}")
    assert "does not speak TLS (WRONG_VERSION_NUMBER)" in said
    assert "see OTEL_EXPORTER_OTLP_ENDPOINT;" in said


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody has signed, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", str(file), "-out", str(file.with_suffix(".crt")),
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    file.write_text(file.read_text() + file.with_suffix(".crt").read_text())
    return file


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_certificate_that_is_not_trusted_is_named(say: Say, server_tls: ssl.SSLContext) -> None:
    with listening(b"", server_tls) as port:
        said = say(f"https://127.0.0.1:{port}")
    assert f"the certificate of https://127.0.0.1:{port}/v1/metrics is not trusted (self" in said
    assert "see OTEL_EXPORTER_OTLP_CERTIFICATE;" in said


def test_client_certificate_that_is_wanted_is_named(
    say: Say,
    server_tls: ssl.SSLContext,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server_tls.verify_mode = ssl.CERT_REQUIRED
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(certificate.with_suffix(".crt")))
    with listening(b"", server_tls) as port:
        said = say(f"https://127.0.0.1:{port}")
    assert "see OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE;" in said


@pytest.mark.parametrize(
    "name", ["OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"]
)
def test_certificate_file_that_is_missing_is_named(
    say: Say, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "/no/such/file.pem")
    said = say("https://127.0.0.1:4318")
    assert "/no/such/file.pem" in said
    assert f"see {name};" in said


def test_proxy_that_does_not_answer_is_named(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unheard.getsockname()[1]}")
        said = say("http://collector.example.com")
    assert "the proxy does not connect to http://collector.example.com/v1/metrics" in said
    assert "see HTTPS_PROXY, HTTP_PROXY and NO_PROXY;" in said


def test_proxy_of_another_kind_is_named(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "socks5://127.0.0.1:1080")
    said = say("http://collector.example.com")
    assert "the proxy's address cannot be used, see HTTPS_PROXY, HTTP_PROXY and NO_PROXY;" in said


def test_variable_of_the_signal_is_named_where_it_is_set(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes precedence over the one for all signals."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "collector:4318/v1/metrics")
    assert "see OTEL_EXPORTER_OTLP_METRICS_ENDPOINT;" in say("http://127.0.0.1:4318")


def test_spans_that_cannot_be_delivered_are_reported(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")
    exporter = build_span_exporter()
    for _ in range(3):
        exporter.export([])
    assert lines_of(caplog) == [
        "spans cannot be delivered; collector:4318/v1/traces does not begin with http:// or"
        " https://, see OTEL_EXPORTER_OTLP_ENDPOINT; the spans of this time are lost"
    ]


REFUSED = ExportFailure("refused", "a refuses", "OTEL_EXPORTER_OTLP_ENDPOINT")
DENIED = ExportFailure("status 401", "a denies", "OTEL_EXPORTER_OTLP_HEADERS")


def test_each_kind_is_logged_once_until_it_works_again(caplog: pytest.LogCaptureFixture) -> None:
    failures = [REFUSED, REFUSED, DENIED, REFUSED, None, None, REFUSED]
    remaining = iter(failures)
    log = ExportLog(METRICS, lambda: next(remaining))
    for failure in failures:
        log.report(failure is None)
    assert [line.split(",")[0] for line in lines_of(caplog)] == [
        "metrics cannot be delivered; a refuses",
        "metrics cannot be delivered; a denies",
        "metrics are delivered again; nothing is missing",
        "metrics cannot be delivered; a refuses",
    ]


def test_failure_without_a_reason_is_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    ExportLog(SPANS).report(False)
    assert lines_of(caplog) == ["spans cannot be delivered; the spans of this time are lost"]


@pytest.mark.parametrize(
    ("url", "logged"),
    [
        ("https://user:secret@host:443/v1/metrics?key=secret", "https://host:443/v1/metrics"),
        ("user:secret@host/v1", "host/v1"),
        ("http://host/a@b", "http://host/a@b"),
    ],
)
def test_no_secret_of_the_address_is_logged(url: str, logged: str) -> None:
    assert redact_url(url) == logged
    for failure in (explain_status(url, 500), explain_error(url, RuntimeError("secret"))):
        assert "secret" not in failure.reason
