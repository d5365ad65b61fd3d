"""Which proxy a request to the target goes through, by the usual environment variables.

HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY as other programs read them, with one exception:
loopback and private names never go through a proxy. It could not reach what they name, and would
learn transactions that were to stay on the machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from socket import inet_aton
from typing import Final
from urllib.parse import urlsplit

# Names that no public server has: reserved (.local, .internal, .home.arpa, .localhost) or in use
# for private networks, as by Kubernetes (.svc; .cluster.local is .local).
PRIVATE_DOMAINS: Final = (".localhost", ".local", ".internal", ".home.arpa", ".lan", ".svc")
_SCHEMES: Final = ("http", "https")


@dataclass(frozen=True)
class Proxy:
    """The proxy's URL, which may hold credentials, and the variable that it was read from."""

    url: str
    variable: str

    def describe(self) -> str:
        """Its place and its variable, without credentials."""
        parts = urlsplit(self.url)
        place = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
        return f"{place} of {self.variable}"


def choose_proxy(url: str, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy for a URL; None: directly. ValueError with a sentence for one that is unusable."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_private(host):
        return None
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if _is_excluded(host, port, _read_variable(environ, "no_proxy")[0]):
        return None
    for name in (f"{parts.scheme}_proxy", "all_proxy"):
        value, variable = _read_variable(environ, name)
        if value:
            return Proxy(_check_proxy(value, variable), variable)
    return None


def is_private(host: str) -> bool:
    """True for loopback, private addresses, names without a dot and names under a private domain.

    Private is every address that is not reachable from everywhere (IANA's special registries).
    tests/test_private_hosts.py holds it equal to what the other rooms decide.
    """
    name = host.lower().rstrip(".")
    address = _parse_address(name)
    if address is None:
        return "." not in name or name.endswith(PRIVATE_DOMAINS)
    return not address.is_global


def _parse_address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        try:
            # Also 127.1, which the system takes for an address.
            return IPv4Address(inet_aton(name))
        except OSError:
            return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_excluded(host: str, port: int, no_proxy: str) -> bool:
    """NO_PROXY: names with all that is below them, addresses, either with a port; * is all."""
    for entry in no_proxy.lower().replace(",", " ").split():
        has_port = entry.count(":") == 1 or "]:" in entry
        name, _, own_port = entry.rpartition(":") if has_port else (entry, "", "")
        name = name.removeprefix("*.").strip(".[]")
        if entry == "*" or (
            own_port in ("", str(port)) and name and f".{host}".endswith(f".{name}")
        ):
            return True
    return False


def _read_variable(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """The value and the name that it was found by; lower case comes first, empty means unset."""
    for variable in (name, name.upper()):
        # In a CGI program HTTP_PROXY is set by the request's header Proxy.
        if variable == "HTTP_PROXY" and "REQUEST_METHOD" in environ:
            continue
        value = environ.get(variable, "").strip()
        if value:
            return value, variable
    return "", name


def _check_proxy(value: str, variable: str) -> str:
    url = value if "://" in value else f"http://{value}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _SCHEMES and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable:
        scheme = url.partition("://")[0]
        raise ValueError(
            f"{variable} must be the address of an HTTP proxy as http://proxy:3128"
            f" (its scheme is {scheme!r})"
        )
    return url
