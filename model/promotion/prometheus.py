"""Asking a Prometheus, or Grafana Cloud's, for series over time; by the standard library alone."""

from __future__ import annotations

import base64
import json
import math
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from model.serving.errors import ModelError

_SECONDS: Final = 60
# Prometheus refuses more than 11,000 points a series.
MOST_POINTS: Final = 10_000
SHORTEST_STEP: Final = 15


@dataclass(frozen=True)
class Series:
    """Values by the number of their step from the start; a step without a sample has none."""

    labels: Mapping[str, str]
    points: Mapping[int, float]


@dataclass(frozen=True)
class Span:
    """From `start`, seconds since 1970, in steps of so many seconds to `end`."""

    start: int
    end: int
    step: int


def span_of(start: float, end: float) -> Span:
    """In the shortest steps that Prometheus answers in one go; the last one is at the end."""
    step = max(SHORTEST_STEP, math.ceil((end - start) / MOST_POINTS))
    return Span(int(end) - step * int((end - start) / step), int(end), step)


class Prometheus:
    """The HTTP API at `address`; with a `token`, and with a `user` beside it as basic auth."""

    def __init__(self, address: str, user: str = "", token: str = "") -> None:
        if urllib.parse.urlsplit(address).scheme not in ("http", "https"):
            raise ModelError(f"--prometheus must be an address such as http://…, got {address!r}")
        self._address = address.rstrip("/")
        self._headers = {"User-Agent": "model"}
        if token:
            both = base64.b64encode(f"{user}:{token}".encode()).decode()
            self._headers["Authorization"] = f"Basic {both}" if user else f"Bearer {token}"

    def series(self, selector: str, span: Span) -> list[Series]:
        """What the selector gives at each step; a ModelError says why nothing can be had."""
        parameters = {
            "query": selector,
            "start": str(span.start),
            "end": str(span.end),
            "step": str(span.step),
        }
        answer = self._ask(parameters)
        try:
            return [_series(one, span) for one in answer["data"]["result"]]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"{self._address} does not answer as Prometheus does") from error

    def _ask(self, parameters: Mapping[str, str]) -> Any:
        # By POST, as Grafana Cloud takes it too: a selector may be long.
        request = urllib.request.Request(
            f"{self._address}/api/v1/query_range",
            urllib.parse.urlencode(parameters).encode(),
            self._headers,
        )
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ModelError(f"{self._address} answered {error.code}: {_reason(error)}") from error
        except OSError as error:
            reason = getattr(error, "reason", error)
            raise ModelError(f"{self._address} cannot be reached: {reason}") from error
        except ValueError as error:
            raise ModelError(f"{self._address} does not answer as Prometheus does") from error


def _series(one: Any, span: Span) -> Series:
    points = {
        round((float(time) - span.start) / span.step): float(value) for time, value in one["values"]
    }
    return Series(dict(one["metric"].items()), points)


def _reason(error: urllib.error.HTTPError) -> str:
    """What the server says, or what its status means."""
    if error.code in (401, 403):
        return "the token (PROMETHEUS_TOKEN, with PROMETHEUS_USER) is not accepted"
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError, OSError):
        return str(error.reason)
