"""Who may call what: bearer tokens by role.

An endpoint asks for a token where one that opens it is set, and wherever the address is public.
ACCESS_TOKEN opens everything. Each setting holds one token or more, so that a new one can be given
out before the old one ends.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from service.errors import ApiError
from service.public_address import is_public
from service.settings import SettingError, Settings, read_settings


@dataclass(frozen=True)
class Guard:
    """What opens one endpoint: `tokens`, which stand in the settings `names`.

    `closed`: without a token in the settings nobody is let in, else everybody.
    """

    names: tuple[str, ...]
    tokens: tuple[str, ...]
    closed: bool

    def check(self, authorization: str) -> None:
        """Refuse a request whose header Authorization holds none of the tokens."""
        if not self.tokens and not self.closed:
            return
        scheme, _, given = authorization.partition(" ")
        # All are compared, each in a time that does not depend on where it differs.
        right = [hmac.compare_digest(given.encode(), token.encode()) for token in self.tokens]
        if scheme.lower() != "bearer" or not any(right):
            words = " or ".join(f"<{name}>" for name in self.names)
            raise ApiError(
                "unauthorized",
                f"this endpoint needs the header Authorization: Bearer {words}",
                headers={"WWW-Authenticate": "Bearer"},
            )


@dataclass(frozen=True)
class Guards:
    """One for each endpoint that can ask for a token."""

    predict: Guard
    feedback: Guard
    metrics: Guard
    simulate: Guard


def build_guards(settings: Settings) -> Guards:
    """/predict asks only where PREDICT_TOKEN is set; the others also on a public address."""
    closed = settings.public and not settings.allow_open
    every = ("ACCESS_TOKEN", settings.access_token)
    predict = settings.predict_token
    return Guards(
        predict=_build_guard(False, ("PREDICT_TOKEN", predict), *([every] if predict else [])),
        feedback=_build_guard(closed, ("FEEDBACK_TOKEN", settings.feedback_token), every),
        metrics=_build_guard(closed, ("METRICS_TOKEN", settings.metrics_token), every),
        simulate=_build_guard(closed, every),
    )


def _build_guard(closed: bool, *roles: tuple[str, tuple[str, ...]]) -> Guard:
    names = tuple(name for name, _ in roles)
    return Guard(names, tuple(token for _, tokens in roles for token in tokens), closed)


def read_safe_settings(environ: Mapping[str, str]) -> Settings:
    """The settings that a service may start with; SettingError for the first that is wrong."""
    settings = read_settings(environ)
    check_public_address(settings)
    return settings


def find_widest_host(listeners: Iterable[str], host: str) -> str:
    """Of the addresses that are listened on one that others can reach, else `host`."""
    return next((one for one in listeners if is_public(one, {})), host)


def check_public_address(settings: Settings) -> None:
    """Raises SettingError where strangers could reach a service that nobody meant to open."""
    guards = build_guards(settings)
    given = (guards.predict, guards.feedback, guards.metrics, guards.simulate)
    if settings.public and not settings.allow_open and not any(one.tokens for one in given):
        raise SettingError(
            "ACCESS_TOKEN must be set where others can reach the service (HOST is not loopback, or"
            " a public platform), or ALLOW_OPEN=true says that /feedback, /metrics and"
            " /simulate_traffic are open to whoever reaches it"
        )
