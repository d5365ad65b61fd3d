"""Which hosts are on this machine or in its own network: exports to them go through no proxy."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

# Names that no public server has: reserved (.local, .internal, .home.arpa, .localhost) or in use
# for private networks, as by Kubernetes (.svc; .cluster.local is .local).
PRIVATE_DOMAINS = (".localhost", ".local", ".internal", ".home.arpa", ".lan", ".svc")


def is_private(url: str) -> bool:
    """True where the URL's host is loopback, a private address, or a private name such as
    `otel-collector` or `collector.railway.internal`."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return False
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return "." not in host or host.endswith(PRIVATE_DOMAINS)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_private or address.is_loopback or address.is_link_local
