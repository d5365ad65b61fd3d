"""The plan is settled by its seed, and is what it says."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from bisect import bisect_left
from collections import Counter
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from simulator.contract.model_info import parse_model_info
from simulator.traffic.request_plan import VALID, Mix, Pace, plan_requests
from simulator.transactions.marginal_source import Customers

MIX = Mix(faulty=0.02, large_body=300_000)
ROOT = Path(__file__).parents[3]


def digest(requests):
    """Hash of everything that is planned, byte by byte."""
    text = hashlib.sha256()
    for r in requests:
        text.update(f"{r.at!r} {r.kind} {r.padding} {r.status} {r.user_type} ".encode() + r.body)
    return text.hexdigest()


def test_plan_same_seed_same_bytes(info):
    """Bodies, faults and times are the same again."""
    pace = Pace(rate=40, count=3000)

    assert digest(plan_requests(info, 7, pace, MIX)) == digest(plan_requests(info, 7, pace, MIX))


def test_plan_other_seed_other_bytes(info):
    """The seed decides, and nothing is fixed by accident."""
    bodies = {
        seed: [r.body for r in plan_requests(info, seed, Pace(count=50), MIX)] for seed in (1, 2)
    }

    assert not set(bodies[1]) & set(bodies[2])


def test_plan_same_seed_same_bytes_in_another_process(info, describe):
    """Nothing depends on the hash seed of the process."""
    program = (
        "import hashlib, json, sys\n"
        "from simulator.contract.model_info import parse_model_info\n"
        "from simulator.traffic.request_plan import Mix, Pace, plan_requests\n"
        "info = parse_model_info(json.load(sys.stdin))\n"
        "text = hashlib.sha256()\n"
        "for r in plan_requests(info, 7, Pace(40, 500), Mix(0.02, 300000)):\n"
        "    text.update(f'{r.at!r} {r.kind} {r.padding} {r.status} {r.user_type} '.encode())\n"
        "    text.update(r.body)\n"
        "print(text.hexdigest())\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(describe()),
        env={"PYTHONHASHSEED": "123", "PATH": ""},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == digest(plan_requests(info, 7, Pace(40, 500), MIX))


def test_plan_pace_leaves_transactions_alone(info):
    """The same transactions can be sent at another pace."""
    slow = [r.body for r in plan_requests(info, 7, Pace(count=200), MIX)]
    fast = [r.body for r in plan_requests(info, 7, Pace(rate=500, count=200), MIX)]

    assert slow == fast


def test_plan_faults_leave_transactions_alone(info):
    """What is not spoiled is what would have been sent without faults."""
    clean = [r.body for r in plan_requests(info, 7, Pace(count=500), Mix(0, 300_000))]
    mixed = list(plan_requests(info, 7, Pace(count=500), Mix(0.2, 300_000)))

    kept = [r for r in mixed if r.kind == VALID]
    assert len(kept) == 400
    assert all(r.body == clean[r.number] for r in kept)


@pytest.mark.parametrize(
    ("share", "count", "faults"),
    [(0.02, 2000, 40), (0.005, 1000, 5), (0.5, 100, 50), (1.0, 100, 100), (0.0, 500, 0)],
)
def test_plan_share_of_faults_is_exact(info, share, count, faults):
    """A test can count on the number, at whole hundreds."""
    requests = list(plan_requests(info, 3, Pace(count=count), Mix(share, 300_000)))

    assert sum(r.kind != VALID for r in requests) == faults


def test_plan_faults_are_of_every_kind(info):
    """The kinds take turns."""
    kinds = Counter(r.kind for r in plan_requests(info, 3, Pace(count=2000), MIX))

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


def test_plan_faults_are_what_they_are_called(info, describe, find_fault):
    """Judged apart from how they were made; and nothing else is faulty."""
    called = {
        "broken_json": "invalid_json",
        "too_large": None,
        VALID: None,
    }

    for request in plan_requests(info, 5, Pace(count=1500), Mix(0.4, 300_000)):
        expected = called.get(request.kind, request.kind)
        assert find_fault(request.body, describe()) == expected, request
        assert request.status == {VALID: 200, "too_large": 413}.get(request.kind, 400)


def test_plan_too_large_is_large_by_padding_alone(info):
    """The memory of a plan does not grow with the size of its bodies."""
    large = [
        r
        for r in plan_requests(info, 5, Pace(count=600), Mix(0.1, 300_000))
        if r.kind == "too_large"
    ]

    assert {len(r.body) + r.padding for r in large} == {300_000}
    assert max(len(r.body) for r in large) < 300


def test_plan_of_one_person_pauses_1_to_5_seconds(info):
    """A person would watch it so."""
    times = [r.at for r in plan_requests(info, 9, Pace(count=2000), MIX)]

    gaps = [b - a for a, b in zip([0.0, *times], times, strict=False)]
    assert min(gaps) >= 1 and max(gaps) <= 5
    assert sum(gaps) / len(gaps) == pytest.approx(3, abs=0.1)


def test_plan_at_a_rate_arrives_as_poisson(info):
    """Gaps are exponential: mean 1/rate, and as wide as that too."""
    times = [r.at for r in plan_requests(info, 9, Pace(rate=50, count=20_000), Mix(0, 1))]

    gaps = [b - a for a, b in zip([0.0, *times], times, strict=False)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert mean == pytest.approx(0.02, rel=0.03)
    assert deviation == pytest.approx(0.02, rel=0.04)


def test_plan_ends_by_duration(info):
    """Nothing is due at or after the end."""
    times = [r.at for r in plan_requests(info, 9, Pace(rate=50, duration=10), MIX)]

    assert 9 < times[-1] < 10
    assert len(times) == pytest.approx(500, abs=100)


def test_plan_without_end_goes_on(info):
    """Neither count nor duration: until it is told to stop."""
    assert len(list(islice(plan_requests(info, 9, Pace(), MIX), 5000))) == 5000


def test_customers_of_each_type_differ(info):
    """Premium customers own and pay more; the shares are those of training."""
    drawn = [r for r in plan_requests(info, 2, Pace(count=6000), Mix(0, 1))]
    by_type = {
        t: [json.loads(r.body) for r in drawn if r.user_type == t]
        for t in ("premium", "standard", "basic")
    }

    median = {
        t: sorted(row["amount"] for row in rows)[len(rows) // 2] for t, rows in by_type.items()
    }
    assert median["premium"] > 2 * median["standard"] > 3 * median["basic"]
    assert min(row["account_balance"] for row in by_type["premium"]) >= 10_000
    assert max(row["account_balance"] for row in by_type["basic"]) < 1500
    assert len(by_type["basic"]) / len(drawn) == pytest.approx(0.3, abs=0.02)


def test_customers_say_their_type_half_of_the_time(info):
    """Both ways of the schema are walked, and what is said is true."""
    drawn = list(plan_requests(info, 2, Pace(count=2000), Mix(0, 1)))
    said = [(r.user_type, json.loads(r.body).get("user_type")) for r in drawn]

    assert {(t, s) for t, s in said if s is not None} == {
        (t, t) for t in ("premium", "standard", "basic")
    }
    assert sum(s is not None for _, s in said) / len(said) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("feature", ["amount", "age", "account_balance", "location_risk"])
def test_customers_are_distributed_as_training(info, describe, feature):
    """A tenth of the values lies between each two deciles, so steady traffic is no drift."""
    quantiles = next(f["quantiles"] for f in describe()["features"] if f["name"] == feature)
    customers, random, n = Customers(info), Random(4), 20_000

    values = [customers.draw(random).transaction[feature] for _ in range(n)]
    counts = Counter(bisect_left(quantiles[1:-1], value) for value in values)

    # Five standard errors of a share of 0.1; whole years lie on the deciles, so theirs are wider.
    tolerance = 5 * (0.09 / n) ** 0.5 if feature != "age" else 0.03
    assert [counts[i] / n for i in range(10)] == pytest.approx([0.1] * 10, abs=tolerance)


def test_customers_follow_the_bins_of_training():
    """Whole numbers with many equal values, categories, booleans, and what is missing."""
    description = {
        "features": [
            {
                "name": "n",
                "type": "integer",
                "quantiles": [0, 0, 0, 1, 1, 2, 9],
                "baseline": {"edges": [0, 1, 2], "shares": [0.45, 0.25, 0.2, 0.1]},
            },
            {
                "name": "shop",
                "type": "category",
                "categories": ["food", "travel"],
                "baseline": {"shares": [0.9, 0.1]},
            },
            {
                "name": "night",
                "type": "boolean",
                "nullable": True,
                "baseline": {"shares": [0.6, 0.2], "missing": 0.2},
            },
        ],
    }
    customers, random, n = Customers(parse_model_info(description)), Random(4), 20_000

    rows = [customers.draw(random).transaction for _ in range(n)]

    def share(name, values):
        return sum(row[name] in values for row in rows) / n

    tolerance = 5 * (0.25 / n) ** 0.5
    assert share("n", [0]) == pytest.approx(0.45, abs=tolerance)
    assert share("n", [1]) == pytest.approx(0.25, abs=tolerance)
    assert share("n", range(3, 10)) == pytest.approx(0.1, abs=tolerance)
    assert share("shop", ["travel"]) == pytest.approx(0.1, abs=tolerance)
    assert share("night", [None]) == pytest.approx(0.2, abs=tolerance)
    assert share("night", [False]) == pytest.approx(0.6, abs=tolerance)


def test_customers_of_any_model(find_fault):
    """Numbers, whole numbers, booleans and categories; ranges open or stated; no quantiles."""
    description = {
        "version": "x",
        "features": [
            {"name": "v1", "type": "number", "quantiles": [-30.0, -1, -0.5, 0, 0.5, 1, 25.0]},
            {"name": "hour", "type": "integer", "minimum": 0, "maximum": 23},
            {"name": "night", "type": "boolean"},
            {"name": "shop", "type": "category", "categories": ["food", "travel"]},
        ],
        "user_types": None,
    }
    requests = list(
        plan_requests(parse_model_info(description), 1, Pace(count=600), Mix(0.2, 1000))
    )

    valid = [json.loads(r.body) for r in requests if r.kind == VALID]
    assert {row["shop"] for row in valid} == {"food", "travel"}
    assert {row["night"] for row in valid} == {True, False}
    assert {row["hour"] for row in valid} == set(range(24))
    assert not any("user_type" in row for row in valid)
    assert {find_fault(r.body, description) for r in requests if r.kind == VALID} == {None}
    for kind in ("missing_field", "wrong_type", "out_of_range", "unknown_field"):
        spoiled = [r.body for r in requests if r.kind == kind]
        assert spoiled and {find_fault(body, description) for body in spoiled} == {kind}
