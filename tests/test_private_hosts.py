"""Three rooms decide what a private host is without importing each other: they decide the same."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from prometheus.client import proxies
from simulator.target import proxy
from telemetry.export import private_hosts

# Addresses by their numbers: private (RFC 1918), link-local, shared (RFC 6598), unique local.
PRIVATE_ADDRESSES = (
    0x0A010203, 0xAC100001, 0xC0A80707, 0xA9FE0101, 0x64400009, 0xFD12 << 112 | 7,
    0xFFFF << 32 | 0x0A000001,
)  # fmt: skip
PUBLIC_ADDRESSES = (0x08080808, 0xAC200001, 0x2606 << 112 | 1, 0xFFFF << 32 | 0x08080808)
HOSTS = {
    "localhost": True, "LOCALHOST.": True, "handler": True, "127.0.0.1": True, "127.1": True,
    "::1": True, "::": True, "scoring.example": False,
    "local.example": False, "mylocal.example": False, "localhost.example.com": False,
    f"{ip_address(0xFE80 << 112 | 1)}%25eth0": True,
    **{str(ip_address(number)): True for number in PRIVATE_ADDRESSES},
    **{str(ip_address(number)): False for number in PUBLIC_ADDRESSES},
    **{f"a{domain}": True for domain in private_hosts.PRIVATE_DOMAINS},
}  # fmt: skip


@pytest.mark.parametrize(("host", "private"), HOSTS.items(), ids=HOSTS)
def test_every_room_decides_the_same_of_a_host(host: str, private: bool) -> None:
    url = f"http://[{host}]:80/" if ":" in host else f"http://{host}:80/"
    assert proxies.is_private(host) == private
    assert proxy.is_private(host) == private
    assert private_hosts.is_private(url) == private


def test_every_room_has_the_same_private_domains() -> None:
    assert proxies.PRIVATE_DOMAINS == proxy.PRIVATE_DOMAINS == private_hosts.PRIVATE_DOMAINS
