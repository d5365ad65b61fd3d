"""Invalid requests are of every kind, in the stated share, and what they are called."""

from __future__ import annotations

from collections import Counter

import pytest

from simulator.contract.model_info import ModelInfo
from simulator.contract.vocabulary import ERROR_OF_KIND, TOO_LARGE, VALID, expected_status
from simulator.target.model_info_parser import parse_model_info
from simulator.traffic.arrivals import LoadProfile
from simulator.traffic.invalid_requests import list_invalid_kinds
from simulator.traffic.invalid_share import InvalidShare
from simulator.traffic.planned_request import PlannedRequest
from simulator.traffic.request_plan import TrafficSpec, plan_requests
from tests.simulator.faulty_target import describe_model, find_fault


def plan(info: ModelInfo, seed: int, share: float, count: int) -> list[PlannedRequest]:
    """Requests of which `share` are invalid, the too large ones of 300,000 bytes."""
    spec = TrafficSpec(LoadProfile(count=count), InvalidShare(share, 300_000))
    return list(plan_requests(info, seed, spec))


@pytest.mark.parametrize(
    ("share", "count", "invalid"),
    [(0.02, 2000, 40), (0.005, 1000, 5), (0.5, 100, 50), (1.0, 100, 100), (0.0, 500, 0)],
)
def test_share_of_invalid_requests_is_exact(
    info: ModelInfo, share: float, count: int, invalid: int
) -> None:
    """A test can count on the number, at whole hundreds."""
    requests = plan(info, 3, share, count)

    assert sum(r.kind != VALID for r in requests) == invalid


def test_invalid_requests_are_of_every_kind(info: ModelInfo) -> None:
    """The kinds take turns."""
    kinds = Counter(r.kind for r in plan(info, 3, 0.02, 2000))

    del kinds[VALID]
    assert set(kinds) == {
        "missing_field",
        "wrong_type",
        "out_of_range",
        "broken_json",
        "too_large",
        "unknown_field",
    }
    assert max(kinds.values()) - min(kinds.values()) <= 1


def test_invalid_requests_are_what_they_are_called(info: ModelInfo) -> None:
    """Judged apart from how they were made; and nothing else is invalid."""
    by_size_alone = {VALID, TOO_LARGE}

    for request in plan(info, 5, 0.4, 1500):
        expected = None if request.kind in by_size_alone else ERROR_OF_KIND[request.kind]
        assert find_fault(request.body, describe_model()) == expected, request
        status = 200 if request.kind == VALID else expected_status(request.kind)
        assert request.expected_status == status
        assert status == {VALID: 200, "too_large": 413}.get(request.kind, 400)


def test_too_large_is_large_by_padding_alone(info: ModelInfo) -> None:
    """The memory of a plan does not grow with the size of its bodies."""
    large = [r for r in plan(info, 5, 0.1, 600) if r.kind == "too_large"]

    assert {len(r.body) + r.padding for r in large} == {300_000}
    assert max(len(r.body) for r in large) < 300


def test_range_up_to_the_end_of_floating_point_has_nothing_outside() -> None:
    """JSON has no infinity: such a feature is left out, and the kind where no other is bounded."""
    feature = {"name": "x", "minimum": -1.797e308, "maximum": 1.797e308}

    for kind in ("number", "integer"):
        info = parse_model_info({"features": [feature | {"type": kind}]})
        assert "out_of_range" not in list_invalid_kinds(info, 10)
        assert {r.kind for r in plan(info, 1, 1.0, 100)} == set(list_invalid_kinds(info, 10))
