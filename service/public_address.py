"""Whether others than this machine may reach the service."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping


def is_public(host: str, environ: Mapping[str, str]) -> bool:
    """True where others than this machine may reach the service: by HOST, or on Railway."""
    if "RAILWAY_ENVIRONMENT_NAME" in environ or "RAILWAY_ENVIRONMENT" in environ:
        return True
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") != "localhost"
