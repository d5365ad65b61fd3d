"""The plan is decided by its seed, and is what it says."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import pytest

from simulator.contract.model_info import ModelInfo
from simulator.contract.vocabulary import VALID
from simulator.traffic.arrivals import LoadProfile
from simulator.traffic.invalid_share import InvalidShare
from simulator.traffic.planned_request import PlannedRequest
from simulator.traffic.request_plan import TrafficSpec, plan_requests
from tests.simulator.faulty_target import describe_model

USUAL = InvalidShare(share=0.02, large_body=300_000)
ROOT = Path(__file__).parents[3]


def digest(requests: Iterable[PlannedRequest]) -> str:
    """Hash of everything that is planned, byte by byte."""
    text = hashlib.sha256()
    for r in requests:
        text.update(f"{r.due!r} {r.kind} {r.padding} {r.expected_status} ".encode())
        text.update(f"{r.user_type} ".encode() + r.body)
    return text.hexdigest()


def spec(
    rate: float | None = None,
    count: int | None = None,
    duration: float | None = None,
    invalid: InvalidShare = USUAL,
) -> TrafficSpec:
    """Steady traffic without labels."""
    return TrafficSpec(LoadProfile(rate, count, duration), invalid)


def test_plan_same_seed_same_bytes(info: ModelInfo) -> None:
    """Bodies, faults and times are the same again."""
    same = spec(rate=40, count=3000)

    assert digest(plan_requests(info, 7, same)) == digest(plan_requests(info, 7, same))


def test_plan_other_seed_other_bytes(info: ModelInfo) -> None:
    """The seed decides, and nothing is fixed by accident."""
    bodies = {seed: [r.body for r in plan_requests(info, seed, spec(count=50))] for seed in (1, 2)}

    assert not set(bodies[1]) & set(bodies[2])


def test_plan_of_a_seed_stays_the_same_over_versions(info: ModelInfo) -> None:
    """A seed in a report, an issue or a drill must still mean the same run tomorrow."""
    plan = plan_requests(info, 7, spec(count=500))
    text = hashlib.sha256(b"".join(r.kind.encode() + r.body for r in plan))

    assert text.hexdigest()[:16] == "2d1310bb910da1cc"


def test_plan_same_seed_same_bytes_in_another_process(info: ModelInfo) -> None:
    """Nothing depends on the hash seed of the process."""
    program = (
        "import hashlib, json, sys\n"
        "from simulator.target.model_info_parser import parse_model_info\n"
        "from simulator.traffic.arrivals import LoadProfile\n"
        "from simulator.traffic.invalid_share import InvalidShare\n"
        "from simulator.traffic.request_plan import TrafficSpec, plan_requests\n"
        "info = parse_model_info(json.load(sys.stdin))\n"
        "text = hashlib.sha256()\n"
        "spec = TrafficSpec(LoadProfile(40, 500), InvalidShare(0.02, 300000))\n"
        "for r in plan_requests(info, 7, spec):\n"
        "    text.update(f'{r.due!r} {r.kind} {r.padding} {r.expected_status} '.encode())\n"
        "    text.update(f'{r.user_type} '.encode())\n"
        "    text.update(r.body)\n"
        "print(text.hexdigest())\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(describe_model()),
        env={"PYTHONHASHSEED": "123", "PATH": ""},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == digest(plan_requests(info, 7, spec(rate=40, count=500)))


def test_plan_pace_leaves_transactions_alone(info: ModelInfo) -> None:
    """The same transactions can be sent at another pace."""
    slow = [r.body for r in plan_requests(info, 7, spec(count=200))]
    fast = [r.body for r in plan_requests(info, 7, spec(rate=500, count=200))]

    assert slow == fast


def test_plan_invalid_requests_leave_transactions_alone(info: ModelInfo) -> None:
    """What is not made invalid is what would have been sent without invalid requests."""
    none, many = InvalidShare(0, 300_000), InvalidShare(0.2, 300_000)
    clean = [r.body for r in plan_requests(info, 7, spec(count=500, invalid=none))]
    mixed = list(plan_requests(info, 7, spec(count=500, invalid=many)))

    kept = [r for r in mixed if r.kind == VALID]
    assert len(kept) == 400
    assert all(r.body == clean[r.number] for r in kept)


def test_plan_ends_by_duration(info: ModelInfo) -> None:
    """Nothing is due at or after the end."""
    times = [r.due for r in plan_requests(info, 9, spec(rate=50, duration=10))]

    assert 9 < times[-1] < 10
    assert len(times) == pytest.approx(500, abs=100)


def test_plan_without_end_goes_on(info: ModelInfo) -> None:
    """Neither count nor duration: until it is told to stop."""
    assert len(list(islice(plan_requests(info, 9, spec()), 5000))) == 5000
