"""So many requests a second of one client, in each worker, whatever it asks for (429 beyond).

The generic cell rate algorithm (ITU-T I.371): for each client one time, at which its allowance is
whole again. Knows no web framework.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable
from threading import Lock

from service.errors import ApiError
from service.settings import Settings

# Where others reach the service and nothing else is said: requests a second of one client.
PUBLIC_RATE = 50
# Seconds' worth of requests that may come at once.
_BURST_SECONDS = 2.0
_ROUNDING = 1e-9
# Clients that are remembered, the latest ones; some 2 MB. Whoever is forgotten has a new allowance.
_MOST_CLIENTS = 10_000
# An IPv6 customer has a network of 2^64 addresses.
_IPV6_NETWORK = 64


class ClientLimit:
    """`rate` requests a second of each client, and twice as many at once."""

    def __init__(
        self,
        rate: float,
        trusted_proxies: int = 0,
        most_clients: int = _MOST_CLIENTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interval = 1 / rate
        self._trusted_proxies = trusted_proxies
        self._most_clients = most_clients
        self._clock = clock
        # In the order in which they were last seen.
        self._whole_at: dict[str, float] = {}
        self._lock = Lock()

    def check(self, peer: str, forwarded_for: str = "") -> None:
        """Count a request of the client; ApiError with Retry-After where there are too many.

        `peer` is who is connected, the other the header X-Forwarded-For.
        """
        wait = self._take(find_client(peer, forwarded_for, self._trusted_proxies))
        if wait > 0:
            raise ApiError(
                "too_many_requests",
                "too many requests from this client: send them more slowly",
                headers={"Retry-After": str(math.ceil(wait))},
            )

    def _take(self, client: str) -> float:
        """0 where the request may go on, else the seconds until one may."""
        with self._lock:
            now = self._clock()
            whole_at = max(self._whole_at.pop(client, now), now)
            wait = whole_at + self._interval - now - _BURST_SECONDS
            if wait <= _ROUNDING:
                whole_at += self._interval
            self._whole_at[client] = whole_at
            if len(self._whole_at) > self._most_clients:
                del self._whole_at[next(iter(self._whole_at))]
            return wait if wait > _ROUNDING else 0.0


def build_client_limit(settings: Settings) -> ClientLimit | None:
    """As CLIENT_RATE_LIMIT says; where it says nothing, only a public service has one."""
    rate = settings.client_rate_limit
    if rate is None:
        rate = PUBLIC_RATE if settings.public else 0
    return ClientLimit(rate, settings.trusted_proxies) if rate else None


def find_client(peer: str, forwarded_for: str, trusted_proxies: int) -> str:
    """The client's address, of IPv6 its network: who is connected, or whom the proxies name.

    Each proxy adds who is connected to it at the end of X-Forwarded-For; what stands before the
    entries of the trusted ones is the caller's own word.
    """
    named = forwarded_for.split(",") if forwarded_for else []
    if 0 < trusted_proxies <= len(named):
        peer = named[-trusted_proxies].strip()
    return _read_network(peer) or "unknown"


def _read_network(text: str) -> str | None:
    """None where it is no address; a port behind it is no part of it."""
    host = text[1:].partition("]")[0] if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            network = ipaddress.ip_network((address, _IPV6_NETWORK), strict=False)
            return str(network.network_address)
        address = address.ipv4_mapped
    return str(address)
