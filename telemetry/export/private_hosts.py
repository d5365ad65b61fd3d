"""Which hosts are on this machine or in its own network: exports to them go through no proxy.

simulator/target/proxy.py and prometheus/client/proxies.py ask the same of their hosts, and may not
import this room: tests/test_private_hosts.py holds the three equal.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from socket import inet_aton
from urllib.parse import urlsplit

# Names that no public server has: reserved (.local, .internal, .home.arpa, .localhost) or in use
# for private networks, as by Kubernetes (.svc; .cluster.local is .local).
PRIVATE_DOMAINS = (".localhost", ".local", ".internal", ".home.arpa", ".lan", ".svc")


def is_private(url: str) -> bool:
    """True where the URL's host is loopback, an address that is not reachable from everywhere
    (IANA's special registries), a name without a dot such as `otel-collector`, or a name under a
    private domain such as `collector.railway.internal`."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return False
    address = _parse_address(host)
    if address is None:
        return "." not in host or host.endswith(PRIVATE_DOMAINS)
    return not address.is_global


def _parse_address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        try:
            # Also 127.1, which the system takes for an address.
            return IPv4Address(inet_aton(host))
        except OSError:
            return None
    return getattr(address, "ipv4_mapped", None) or address
