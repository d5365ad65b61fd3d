"""Asking a Prometheus (or Grafana Cloud's Mimir) by its documented HTTP API."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grafana.http import Client, Problem


@dataclass(frozen=True)
class Sample:
    """One series at one moment."""

    labels: Mapping[str, str]
    value: float

    @property
    def is_number(self) -> bool:
        """False for NaN and the infinities."""
        return math.isfinite(self.value)


class Prometheus:
    """Queries under `/api/v1` of the client's address."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def query(self, expression: str, at: float | None = None) -> list[Sample]:
        """Result of an instant query, at a time in seconds since 1970 (now by default)."""
        parameters = {"query": expression}
        if at is not None:
            parameters["time"] = f"{at:.3f}"
        data = self._ask("/api/v1/query", parameters)
        if data["resultType"] == "scalar":
            return [Sample({}, float(data["result"][1]))]
        return [Sample(one["metric"], float(one["value"][1])) for one in data["result"]]

    def label_values(self, label: str, matcher: str, start: float, end: float) -> list[str]:
        """Values of a label in the series that match, between two times."""
        parameters = {"match[]": matcher, "start": f"{start:.3f}", "end": f"{end:.3f}"}
        values: list[str] = self._ask(f"/api/v1/label/{label}/values", parameters)
        return values

    def exemplars(self, expression: str, start: float, end: float) -> list[Mapping[str, str]]:
        """Labels of the exemplars in the series that an expression reads, between two times."""
        parameters = {"query": expression, "start": f"{start:.3f}", "end": f"{end:.3f}"}
        series = self._ask("/api/v1/query_exemplars", parameters)
        return [exemplar["labels"] for one in series for exemplar in one["exemplars"]]

    def _ask(self, path: str, parameters: Mapping[str, str]) -> Any:
        answer = self._client.get(path, parameters)
        if answer.status in (401, 403):
            raise Problem(
                f"{self._client.address} answered {answer.status}: the token was not accepted or "
                "lacks the scope metrics:read"
            )
        if answer.status != 200:
            raise Problem(
                f"{self._client.address}{path} answered {answer.status} to "
                f"{parameters.get('query', path)!r}: {answer.reason()}"
            )
        return answer.json()["data"]
