"""Which hosts exports reach without a proxy."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest

from telemetry.export.private_hosts import is_private


def v4(*parts: int) -> str:
    return ".".join(str(part) for part in parts)


def v6(first: int, last: int, zone: str = "") -> str:
    """An address with these first and last 16 bits."""
    return f"[{IPv6Address(first << 112 | last)}{zone}]"


def mapped(*parts: int) -> str:
    """An IPv4 address as a socket for both families shows it."""
    return f"[{IPv6Address('::ffff:' + v4(*parts))}]"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        v4(127, 8, 8, 8),
        "localhost",
        "LOCALHOST.",
        "otel.localhost",
        "[::1]",
        v4(10, 1, 2, 3),
        v4(172, 20, 0, 5),
        v4(192, 168, 1, 10),
        v4(169, 254, 10, 10),
        v6(0xFD00, 0x17),
        v6(0xFE80, 1, "%25eth0"),
        mapped(10, 0, 0, 1),
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
        f"http://{v4(8, 8, 8, 8)}:4318",
        f"http://{v6(0x2606, 0x1111)}:4318",
        f"http://{mapped(8, 8, 8, 8)}:4318",
        "http://localhost.example.com:4318",
        "http://internal.example.com",
        "http://mylocal.example",
        "http://[::1",
    ],
)
def test_public_hosts_and_what_is_no_address_are_not(url: str) -> None:
    assert not is_private(url)
