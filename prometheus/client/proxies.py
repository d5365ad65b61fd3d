"""Which proxy leads to a host: none to one on this machine or in its own network."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from prometheus.client.errors import RequestError

# Reserved for names that no public resolver knows: RFC 6761, RFC 6762, RFC 8375, ICANN's
# .internal, and Kubernetes' services.
_PRIVATE_SUFFIXES = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".svc")


def is_private(host: str) -> bool:
    """True for loopback, private and link-local addresses and for names that only a private
    network knows: without a dot, or with one of the reserved endings."""
    host = host.strip("[]").rstrip(".").lower()
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return "." not in host or host.endswith(_PRIVATE_SUFFIXES)
    return address.is_private or address.is_link_local


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
