"""What each scenario sends, and when; the plan alone, nothing is sent."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from simulator.contract.model_info import parse_model_info
from simulator.traffic.delayed_labels import FRAUD, LEGITIMATE, Labels, PlannedLabel
from simulator.traffic.request_plan import VALID, Mix, Pace, plan_requests
from simulator.traffic.scenarios import NAMES, SCENARIOS, Course, described
from simulator.transactions.marginal_source import Customers, Drawn

CLEAN = Mix(0, 300_000)
PACE = Pace(rate=100, duration=60)
LABELS = Labels(after=10)


@pytest.fixture
def ranked(describe):
    """The five features, location_risk and amount the most important."""
    document = describe()
    for feature, importance in zip(document["features"], (0.4, 0.0, 0.1, 0.1, 0.4), strict=True):
        feature["importance"] = importance
    return parse_model_info(document)


def planned(info, course, labels=None, suspects=(), mix=CLEAN):
    return list(plan_requests(info, 7, PACE, mix, course, labels, suspects))


def split(requests, begin=20, end=40):
    """Requests before, in and after the scenario."""
    before = [r for r in requests if r.at < begin]
    during = [r for r in requests if begin <= r.at < end]
    return before, during, [r for r in requests if r.at >= end]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "outage"])
def test_outside_the_scenario_all_is_steady(ranked, name):
    """The same bytes at the same times before and afterwards."""
    steady = split(planned(ranked, Course()))

    before, _, after = split(planned(ranked, Course(name, 20, 20)))

    assert [(r.at, r.body) for r in before] == [(r.at, r.body) for r in steady[0]]
    assert [(r.at, r.body) for r in after] == [(r.at, r.body) for r in steady[2]]
    assert {r.fault for r in (*before, *after)} == {None}


def test_outage_sends_nothing_and_comes_back(ranked):
    """Abruptly; arrivals afterwards are when they would have been."""
    before, during, after = split(planned(ranked, Course("outage", 20, 20)))
    steady = split(planned(ranked, Course()))

    assert during == []
    assert [r.at for r in before] == [r.at for r in steady[0]]
    assert [r.at for r in after] == [r.at for r in steady[2]]


def test_outage_without_an_end_is_the_end(ranked):
    """It does not turn in circles for a request that is never due."""
    endless = plan_requests(ranked, 7, Pace(rate=100), CLEAN, Course("outage", 5))

    assert max(request.at for request in endless) < 5


def test_drift_raises_the_two_most_important_features(ranked):
    """By rank they are the larger of two draws: three quarters lie above the old median."""
    _, during, _ = split(planned(ranked, Course("drift", 20, 20)))
    rows = [json.loads(r.body) for r in during]
    above = {name: sum(row[name] > middle for row in rows) / len(rows) for name, middle in (
        ("location_risk", 0.2), ("amount", 60.0), ("account_balance", 3000.0), ("age", 45),
    )}  # fmt: skip

    assert above["location_risk"] == pytest.approx(0.75, abs=0.04)
    assert above["amount"] == pytest.approx(0.75, abs=0.04)
    assert above["account_balance"] == pytest.approx(0.5, abs=0.05)
    assert above["age"] == pytest.approx(0.5, abs=0.05)


def test_burst_is_every_tenth_request(ranked):
    """One of those that the model scored highest, where the process is not known."""
    suspect = Drawn({"amount": 1.0}, "basic")

    before, during, after = split(planned(ranked, Course("fraud-burst", 20, 20), None, [suspect]))

    in_burst = [json.loads(r.body) == suspect.transaction for r in during]
    assert sum(in_burst) == len([r for r in during if r.number % 10 == 0])
    assert not any(json.loads(r.body) == suspect.transaction for r in (*before, *after))


def test_bad_data_is_confined_to_two_fields(ranked, describe, find_fault):
    """30 % of the requests, values of every wrong kind, and each must be refused."""
    _, during, _ = split(planned(ranked, Course("bad-data", 20, 20)))
    steady = {r.number: json.loads(r.body) for r in planned(ranked, Course())}
    bad = [r for r in during if r.kind != VALID]

    assert len(bad) / len(during) == pytest.approx(0.3, abs=0.01)
    assert {r.kind for r in bad} == {"missing_field", "wrong_type", "out_of_range"}
    for request in bad:
        body, usual = json.loads(request.body), steady[request.number]
        [field] = [n for n in usual if body.get(n, "gone") != usual[n] or type(body[n]) is bool]
        assert field in ("amount", "location_risk")
        assert find_fault(request.body, describe()) and request.status == 400


def test_bad_data_knows_unknown_categories(describe):
    """Where a model has categories."""
    document = describe()
    document["features"][0] |= {"type": "category", "categories": ["unknown", "web"]}
    document["features"][0] |= {"quantiles": None, "minimum": None, "maximum": None}
    requests = planned(parse_model_info(document), Course("bad-data"))

    unknown = [json.loads(r.body)["amount"] for r in requests if r.kind == "unknown_category"]
    assert set(unknown) == {"unknown_"}


@pytest.mark.parametrize(
    ("name", "fault", "status", "at_least"),
    [("slow", "delay=400ms", 200, 0.4), ("errors", "error", 500, 0.0)],
)
def test_misbehaviour_is_asked_for_by_a_fifth(ranked, name, fault, status, at_least):
    """With the header, and with what must come of it."""
    _, during, _ = split(planned(ranked, Course(name, 20, 20), mix=Mix(0.1, 300_000)))
    asked = [r for r in during if r.fault is not None]

    assert len(asked) / sum(r.fault is not None or r.kind == VALID for r in during) == (
        pytest.approx(0.2, abs=0.03)
    )
    assert {(r.fault, r.status, r.at_least) for r in asked} == {(fault, status, at_least)}


def test_late_labels_hold_what_falls_due():
    """Until the scenario is over; the others come when they are known."""
    course = Course("late-labels", 20, 30)

    assert [course.label_due(t) for t in (19.9, 20, 49.9, 50)] == [19.9, 50, 50, 50]
    assert Course("drift", 20, 30).label_due(30) == 30
    assert Course("late-labels", 20).label_due(30) == float("inf")


def test_labels_have_their_delays_and_their_share(ranked):
    """From half to one and a half of the mean, evenly; the transactions stay as they are."""
    requests = planned(ranked, Course(), Labels(10, 0.4))
    delays = [r.label.delay for r in requests if r.label is not None]

    assert len(delays) / len(requests) == pytest.approx(0.4, abs=0.03)
    assert 5 <= min(delays) < 5.2 and 14.8 < max(delays) <= 15
    assert sum(delays) / len(delays) == pytest.approx(10, abs=0.3)
    assert [r.body for r in requests] == [r.body for r in planned(ranked, Course())]


def test_faulty_requests_have_no_label(ranked):
    """Nothing is predicted, so there is no truth to tell."""
    requests = planned(ranked, Course("errors"), LABELS, mix=Mix(0.3, 300_000))

    assert all((r.label is None) == (r.kind not in (VALID, "asked_error")) for r in requests)


def test_truth_of_an_unknown_process_is_the_answers(ranked):
    """A calibrated world; in concept 70 % of the truths follow another request's answer."""
    _, during, _ = split(planned(ranked, Course("concept", 20, 20), LABELS))
    mixed = Counter(r.label.of_another for r in during)

    assert mixed[True] / len(during) == pytest.approx(0.7, abs=0.04)
    assert {r.label.truth for r in during} == {None}
    label = PlannedLabel(1, None, 0.3)
    assert label.resolved(0.31, 0) == FRAUD and label.resolved(0.3, 1) == LEGITIMATE
    assert replace(label, of_another=True).resolved(0.9, 0.1) == LEGITIMATE


def test_drift_without_user_types_rises_too(describe):
    """A model that knows no customers."""
    info = parse_model_info(describe() | {"user_types": None})
    customers, random = Customers(info), Random(1)

    amounts = [customers.draw(random, "drift").transaction["amount"] for _ in range(2000)]

    assert sum(amount > 60 for amount in amounts) / 2000 == pytest.approx(0.75, abs=0.04)


def test_help_has_every_scenario_with_its_alerts(read_root):
    """And the alerts exist: each has its runbook."""
    text = described()
    for scenario in SCENARIOS:
        assert f"  {scenario.name} " in text and scenario.alerts in text
        for word in scenario.alerts.replace(",", " ").split():
            if word[0].isupper():
                assert (read_root / "docs" / "runbooks" / f"{word}.md").exists(), word
