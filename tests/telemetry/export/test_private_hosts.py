"""Which hosts exports reach without a proxy."""

from __future__ import annotations

import pytest

from telemetry.export.private_hosts import is_private


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.8.8.8",
        "localhost",
        "LOCALHOST.",
        "otel.localhost",
        "[::1]",
        "10.1.2.3",
        "172.20.0.5",
        "192.168.1.10",
        "169.254.10.10",
        "[fd00::17]",
        "[fe80::1%25eth0]",
        "[::ffff:10.0.0.1]",
        "otel-collector",
        "host.docker.internal",
        "collector.railway.internal",
        "collector.observability.svc",
        "collector.observability.svc.cluster.local",
        "nas.lan",
        "gateway.home.arpa",
    ],
)
def test_loopback_and_private_names_are_private(host: str) -> None:
    assert is_private(f"http://user:secret@{host}:4318/v1/metrics")


@pytest.mark.parametrize(
    "url",
    [
        "https://otlp-gateway-prod-eu-west-2.grafana.net/otlp/v1/metrics",
        "http://8.8.8.8:4318",
        "http://[2606:4700::1111]:4318",
        "http://[::ffff:8.8.8.8]:4318",
        "http://localhost.example.com:4318",
        "http://internal.example.com",
        "http://mylocal.example",
        "http://[::1",
    ],
)
def test_public_hosts_and_what_is_no_address_are_not(url: str) -> None:
    assert not is_private(url)
