"""What a Prometheus' answers become; real ones are asked in tests/grafana/test_queries.py."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Any

import pytest

from prometheus.client.errors import RequestError
from prometheus.client.http import Answer, Client
from prometheus.client.query import History, Prometheus, Sample, Series, Span, split_time


class Answering(Client):
    """A server that gives the same answer to everything, and keeps what it was asked."""

    def __init__(self, status: int, content: Any) -> None:
        super().__init__("http://localhost:9090")
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self._answer = Answer(status, "Bad Request", {}, body)
        self.asked: list[tuple[str, str, bytes | None]] = []

    def send(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> Answer:
        self.asked.append((method, path, body))
        return self._answer


def answering(data: Any) -> Prometheus:
    return Prometheus(Answering(200, {"data": data}))


def test_instant_query_gives_samples() -> None:
    vector = [{"metric": {"job": "a"}, "value": [0, "1.5"]}, {"metric": {}, "value": [0, "NaN"]}]
    first, second = answering({"resultType": "vector", "result": vector}).query("up")

    assert first == Sample({"job": "a"}, 1.5)
    assert math.isnan(second.value) and not second.is_number
    assert answering({"resultType": "scalar", "result": [0, "7"]}).query("7") == [Sample({}, 7.0)]


def test_range_query_gives_points_by_their_step() -> None:
    matrix = [{"metric": {"job": "a"}, "values": [[100, "1"], [130.2, "3"]]}]
    asked = answering({"resultType": "matrix", "result": matrix})

    assert asked.query_range("up", Span(100, 160, 15)) == [Series({"job": "a"}, {0: 1.0, 2: 3.0})]


def test_long_query_goes_in_the_body() -> None:
    """An address of that length is refused by many a server."""
    client = Answering(200, {"data": {"resultType": "vector", "result": []}})
    Prometheus(client).query("x" * 9000, at=12.5)

    assert client.asked == [("POST", "/api/v1/query", b"query=" + b"x" * 9000 + b"&time=12.500")]


@pytest.mark.parametrize("days", [0.0001, 1, 400])
def test_parts_of_a_time_leave_nothing_out(days: float) -> None:
    start, end = 1_000_000_000.0, 1_000_000_000 + 86_400 * days
    parts = list(split_time(start, end, 86_400))

    assert (parts[0][0], parts[-1][1]) == (start, end)
    assert all(one[1] == next_one[0] for one, next_one in pairwise(parts))
    assert all(0 < until - since <= 86_400 + 1e-6 for since, until in parts)


def test_samples_are_those_that_are_stored() -> None:
    matrix = [{"metric": {"job": "a"}, "values": [[100.5, "1"], [130.2, "3"]]}]
    client = Answering(200, {"data": {"resultType": "matrix", "result": matrix}})

    found = Prometheus(client).samples("up", 100, 160.25)

    assert found == [History({"job": "a"}, ((100.5, 1.0), (130.2, 3.0)))]
    assert client.asked == [("POST", "/api/v1/query", b"query=up%5B60250ms%5D&time=160.250")]


@pytest.mark.parametrize(
    ("status", "content", "sentence"),
    [
        (401, b"", "answered 401: set TOKEN"),
        (403, b"", "answered 403: set TOKEN"),
        (400, {"error": "parse error"}, r"answered 400: parse error \(asked for 'up'\)"),
        (200, b"<html>", "does not answer as Prometheus does"),
        (200, {"data": 1}, "does not answer as Prometheus does"),
        (200, {"data": {"resultType": "vector", "result": [{}]}}, "does not answer as Prometheus"),
    ],
)
def test_failure_is_one_sentence(status: int, content: Any, sentence: str) -> None:
    with pytest.raises(RequestError, match=f"^http://localhost:9090 {sentence}"):
        Prometheus(Answering(status, content), "set TOKEN").query("up")
