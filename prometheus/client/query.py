"""Asking a Prometheus (or Grafana Cloud's Mimir) by its documented HTTP API."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

from prometheus.client.errors import RequestError
from prometheus.client.http import Answer, Client

_NOT_SIGNED_IN = (401, 403)

T = TypeVar("T")


@dataclass(frozen=True)
class Sample:
    """One series at one moment."""

    labels: Mapping[str, str]
    value: float

    @property
    def is_number(self) -> bool:
        """False for NaN and the infinities."""
        return math.isfinite(self.value)


@dataclass(frozen=True)
class Series:
    """Values by the number of their step from the start; a step without a sample has none."""

    labels: Mapping[str, str]
    points: Mapping[int, float]


@dataclass(frozen=True)
class History:
    """The stored samples of one series, as (seconds since 1970, value) in the order of time."""

    labels: Mapping[str, str]
    samples: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Span:
    """From `start`, seconds since 1970, in steps of so many seconds to `end`."""

    start: int
    end: int
    step: int


def split_time(start: float, end: float, most_seconds: float) -> Iterator[tuple[float, float]]:
    """Neighbouring parts of the time from start to end, none of them longer than `most_seconds`."""
    parts = max(1, math.ceil((end - start) / most_seconds))
    edges = [start + (end - start) * part / parts for part in range(parts)] + [end]
    return pairwise(edges)


def select_job(job: str) -> str:
    """The selector of a job's series."""
    quoted = job.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{{job="{quoted}"}}'


class Prometheus:
    """Queries under `/api/v1` of the client's address; a RequestError says why one has no answer.

    `sign_in_hint` completes the error for a token that is not accepted: which setting holds it.
    """

    def __init__(self, client: Client, sign_in_hint: str = "it wants a user or a token") -> None:
        self._client = client
        self._sign_in_hint = sign_in_hint

    def query(self, expression: str, at: float | None = None) -> list[Sample]:
        """Result of an instant query, at a time in seconds since 1970 (now by default)."""
        parameters = {"query": expression}
        if at is not None:
            parameters["time"] = f"{at:.3f}"
        # By POST: an expression may be longer than an address may be.
        return self._parse(self._client.post("/api/v1/query", parameters), parameters, _samples)

    def query_range(self, expression: str, span: Span) -> list[Series]:
        """Result of the expression at each step."""
        parameters = {
            "query": expression,
            "start": str(span.start),
            "end": str(span.end),
            "step": str(span.step),
        }
        answer = self._client.post("/api/v1/query_range", parameters)
        return self._parse(answer, parameters, lambda data: _series(data, span))

    def samples(self, selector: str, start: float, end: float) -> list[History]:
        """Every stored sample of the selected series after `start` and until `end`, none left out
        and none made up, as a range query does by its steps and its look back.

        A Prometheus before 3.0 also gives what lies exactly at `start`.
        """
        milliseconds = max(1, math.ceil(1000 * (end - start)))
        parameters = {"query": f"{selector}[{milliseconds}ms]", "time": f"{end:.3f}"}
        answer = self._client.post("/api/v1/query", parameters)
        return self._parse(answer, parameters, _histories)

    def label_values(self, label: str, matcher: str, start: float, end: float) -> list[str]:
        """Values of a label in the series that match, between two times."""
        parameters = {"match[]": matcher, "start": f"{start:.3f}", "end": f"{end:.3f}"}
        answer = self._client.get(f"/api/v1/label/{label}/values", parameters)
        return self._parse(answer, parameters, lambda data: [str(value) for value in data])

    def exemplars(self, expression: str, start: float, end: float) -> list[Mapping[str, str]]:
        """Labels of the exemplars in the series that an expression reads, between two times."""
        parameters = {"query": expression, "start": f"{start:.3f}", "end": f"{end:.3f}"}
        answer = self._client.post("/api/v1/query_exemplars", parameters)
        return self._parse(answer, parameters, _exemplars)

    def _parse(self, answer: Answer, parameters: Mapping[str, str], read: Callable[[Any], T]) -> T:
        address = self._client.address
        if answer.status in _NOT_SIGNED_IN:
            raise RequestError(f"{address} answered {answer.status}: {self._sign_in_hint}")
        if answer.status != 200:
            asked = parameters.get("query") or parameters.get("match[]")
            raise RequestError(
                f"{address} answered {answer.status}: {answer.reason()} (asked for {asked!r})"
            )
        try:
            return read(answer.json()["data"])
        except (RequestError, KeyError, TypeError, ValueError, IndexError, AttributeError):
            raise RequestError(f"{address} does not answer as Prometheus does") from None


def _samples(data: Any) -> list[Sample]:
    if data["resultType"] == "scalar":
        return [Sample({}, float(data["result"][1]))]
    return [Sample(dict(one["metric"]), float(one["value"][1])) for one in data["result"]]


def _histories(data: Any) -> list[History]:
    return [
        History(dict(one["metric"].items()), tuple((float(t), float(v)) for t, v in one["values"]))
        for one in data["result"]
    ]


def _series(data: Any, span: Span) -> list[Series]:
    return [
        Series(
            dict(one["metric"].items()),
            {round((float(t) - span.start) / span.step): float(v) for t, v in one["values"]},
        )
        for one in data["result"]
    ]


def _exemplars(data: Any) -> list[Mapping[str, str]]:
    return [exemplar["labels"] for one in data for exemplar in one["exemplars"]]
