"""Which proxy leads to a host: none to one on this machine or in its own network."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from socket import inet_aton
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from prometheus.client.errors import RequestError

# Names that no public server has: reserved (.local, .internal, .home.arpa, .localhost) or in use
# for private networks, as by Kubernetes (.svc; .cluster.local is .local).
PRIVATE_DOMAINS = (".localhost", ".local", ".internal", ".home.arpa", ".lan", ".svc")


def is_private(host: str) -> bool:
    """True for loopback, addresses that are not reachable from everywhere (IANA's special
    registries), names without a dot and names under a private domain.

    telemetry/export/private_hosts.py and simulator/target/proxy.py decide the same:
    tests/test_private_hosts.py holds the three equal.
    """
    host = host.strip("[]").rstrip(".").lower()
    address = _parse_address(host)
    if address is None:
        return "." not in host or host.endswith(PRIVATE_DOMAINS)
    return not address.is_global


def proxies_for(address: str) -> dict[str, str]:
    """The proxy by scheme: HTTP_PROXY or HTTPS_PROXY, unless NO_PROXY names the host or the host
    is private. RequestError for a proxy without a host."""
    if is_private(urlsplit(address).hostname or ""):
        return {}
    scheme = urlsplit(address).scheme
    proxies = get_environ_proxies(address)
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy:
        return {}
    try:
        host = parse_url(proxy).host
    except HTTPError:
        host = None
    if not host:
        raise RequestError(f"{scheme.upper()}_PROXY must be an address such as http://proxy:3128")
    return {scheme: proxy}


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
