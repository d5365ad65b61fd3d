"""What each scenario sends, and when; the plan alone, nothing is sent."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from simulator.contract.model_info import ModelInfo
from simulator.contract.vocabulary import FRAUD, LEGITIMATE, SCENARIO_NAMES, VALID
from simulator.target.model_info_parser import parse_model_info
from simulator.traffic.arrivals import LoadProfile
from simulator.traffic.delayed_labels import LabelDelay, PlannedLabel
from simulator.traffic.invalid_share import InvalidShare
from simulator.traffic.planned_request import PlannedRequest
from simulator.traffic.request_plan import TrafficSpec, plan_requests
from simulator.traffic.scenarios import NAMES, SCENARIOS, ScenarioSchedule, describe_scenarios
from simulator.transactions.transaction import SampledTransaction
from tests.simulator.faulty_target import describe_model, find_fault

CLEAN = InvalidShare(0, 300_000)
LOAD = LoadProfile(rate=100, duration=60)
LABELS = LabelDelay(mean=10)
Requests = list[PlannedRequest]


@pytest.fixture
def ranked() -> ModelInfo:
    """The five features, location_risk and amount the most important."""
    document = describe_model()
    for feature, importance in zip(document["features"], (0.4, 0.0, 0.1, 0.1, 0.4), strict=True):
        feature["importance"] = importance
    return parse_model_info(document)


def plan(
    info: ModelInfo,
    schedule: ScenarioSchedule,
    labels: LabelDelay | None = None,
    samples: Sequence[SampledTransaction] = (),
    invalid: InvalidShare = CLEAN,
) -> Requests:
    return list(plan_requests(info, 7, TrafficSpec(LOAD, invalid, schedule, labels, samples)))


def split(
    requests: Requests, begin: float = 20, end: float = 40
) -> tuple[Requests, Requests, Requests]:
    """Requests before, in and after the scenario."""
    before = [r for r in requests if r.due < begin]
    during = [r for r in requests if begin <= r.due < end]
    return before, during, [r for r in requests if r.due >= end]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "outage"])
def test_outside_the_scenario_all_is_steady(ranked: ModelInfo, name: str) -> None:
    """The same bytes at the same times before and afterwards."""
    steady = split(plan(ranked, ScenarioSchedule()))

    before, _, after = split(plan(ranked, ScenarioSchedule(name, 20, 20)))

    assert [(r.due, r.body) for r in before] == [(r.due, r.body) for r in steady[0]]
    assert [(r.due, r.body) for r in after] == [(r.due, r.body) for r in steady[2]]
    assert {r.fault_header for r in (*before, *after)} == {None}


def test_outage_sends_nothing_and_comes_back(ranked: ModelInfo) -> None:
    """Abruptly; arrivals afterwards are when they would have been."""
    before, during, after = split(plan(ranked, ScenarioSchedule("outage", 20, 20)))
    steady = split(plan(ranked, ScenarioSchedule()))

    assert during == []
    assert [r.due for r in before] == [r.due for r in steady[0]]
    assert [r.due for r in after] == [r.due for r in steady[2]]


def test_outage_without_an_end_is_the_end(ranked: ModelInfo) -> None:
    """It does not turn in circles for a request that is never due."""
    spec = TrafficSpec(LoadProfile(rate=100), CLEAN, ScenarioSchedule("outage", 5))

    assert max(request.due for request in plan_requests(ranked, 7, spec)) < 5


def test_drift_raises_the_two_most_important_features(ranked: ModelInfo) -> None:
    """By rank they are the larger of two draws: three quarters lie above the old median."""
    _, during, _ = split(plan(ranked, ScenarioSchedule("drift", 20, 20)))
    rows = [json.loads(r.body) for r in during]
    above = {name: sum(row[name] > middle for row in rows) / len(rows) for name, middle in (
        ("location_risk", 0.2), ("amount", 60.0), ("account_balance", 3000.0), ("age", 45),
    )}  # fmt: skip

    assert above["location_risk"] == pytest.approx(0.75, abs=0.04)
    assert above["amount"] == pytest.approx(0.75, abs=0.04)
    assert above["account_balance"] == pytest.approx(0.5, abs=0.05)
    assert above["age"] == pytest.approx(0.5, abs=0.05)


def test_burst_is_every_tenth_request(ranked: ModelInfo) -> None:
    """One of those that the model scored highest, where the process is not known."""
    sample = SampledTransaction({"amount": 1.0}, "basic")
    schedule = ScenarioSchedule("fraud-burst", 20, 20)

    before, during, after = split(plan(ranked, schedule, None, [sample]))

    in_burst = [json.loads(r.body) == sample.transaction for r in during]
    assert sum(in_burst) == len([r for r in during if r.number % 10 == 0])
    assert not any(json.loads(r.body) == sample.transaction for r in (*before, *after))


def test_bad_data_is_confined_to_two_fields(ranked: ModelInfo) -> None:
    """30 % of the requests, values of every wrong kind, and each must be refused."""
    _, during, _ = split(plan(ranked, ScenarioSchedule("bad-data", 20, 20)))
    steady = {r.number: json.loads(r.body) for r in plan(ranked, ScenarioSchedule())}
    bad = [r for r in during if r.kind != VALID]

    assert len(bad) / len(during) == pytest.approx(0.3, abs=0.01)
    assert {r.kind for r in bad} == {"missing_field", "wrong_type", "out_of_range"}
    for request in bad:
        body, usual = json.loads(request.body), steady[request.number]
        [field] = [n for n in usual if body.get(n, "gone") != usual[n] or type(body[n]) is bool]
        assert field in ("amount", "location_risk")
        assert find_fault(request.body, describe_model()) and request.expected_status == 400


def test_bad_data_knows_unknown_categories() -> None:
    """Where a model has categories."""
    document = describe_model()
    document["features"][0] |= {"type": "category", "categories": ["unknown", "web"]}
    document["features"][0] |= {"quantiles": None, "minimum": None, "maximum": None}
    requests = plan(parse_model_info(document), ScenarioSchedule("bad-data"))

    unknown = [json.loads(r.body)["amount"] for r in requests if r.kind == "unknown_category"]
    assert set(unknown) == {"unknown_"}


@pytest.mark.parametrize(
    ("name", "header", "status", "min_seconds"),
    [("slow", "delay=400ms", 200, 0.4), ("errors", "error", 500, 0.0)],
)
def test_injected_faults_are_asked_for_by_a_fifth(
    ranked: ModelInfo, name: str, header: str, status: int, min_seconds: float
) -> None:
    """With the header, and with what must come of it."""
    schedule, invalid = ScenarioSchedule(name, 20, 20), InvalidShare(0.1, 300_000)
    _, during, _ = split(plan(ranked, schedule, invalid=invalid))
    asked = [r for r in during if r.fault_header is not None]

    could_ask = sum(r.fault_header is not None or r.kind == VALID for r in during)
    assert len(asked) / could_ask == pytest.approx(0.2, abs=0.03)
    assert {(r.fault_header, r.expected_status, r.min_seconds) for r in asked} == {
        (header, status, min_seconds)
    }


def test_late_labels_hold_what_falls_due() -> None:
    """Until the scenario is over; the others come when they are known."""
    schedule = ScenarioSchedule("late-labels", 20, 30)

    assert [schedule.hold_label(t) for t in (19.9, 20, 49.9, 50)] == [19.9, 50, 50, 50]
    assert ScenarioSchedule("drift", 20, 30).hold_label(30) == 30
    assert ScenarioSchedule("late-labels", 20).hold_label(30) == float("inf")


def test_labels_have_their_delays_and_their_share(ranked: ModelInfo) -> None:
    """From half to one and a half of the mean, evenly; the transactions stay as they are."""
    requests = plan(ranked, ScenarioSchedule(), LabelDelay(10, 0.4))
    delays = [r.label.delay for r in requests if r.label is not None]

    assert len(delays) / len(requests) == pytest.approx(0.4, abs=0.03)
    assert 5 <= min(delays) < 5.2 and 14.8 < max(delays) <= 15
    assert sum(delays) / len(delays) == pytest.approx(10, abs=0.3)
    assert [r.body for r in requests] == [r.body for r in plan(ranked, ScenarioSchedule())]


def test_invalid_requests_have_no_label(ranked: ModelInfo) -> None:
    """Nothing is predicted, so no label can follow."""
    schedule = ScenarioSchedule("errors")
    requests = plan(ranked, schedule, LABELS, invalid=InvalidShare(0.3, 300_000))

    assert all((r.label is None) == (r.kind not in (VALID, "asked_error")) for r in requests)


def test_label_of_an_unknown_process_follows_the_answers(ranked: ModelInfo) -> None:
    """A calibrated world; in concept 70 % of the labels follow another request's answer."""
    _, during, _ = split(plan(ranked, ScenarioSchedule("concept", 20, 20), LABELS))
    labels = [r.label for r in during if r.label is not None]
    mixed = Counter(label.of_other_request for label in labels)

    assert mixed[True] / len(during) == pytest.approx(0.7, abs=0.04)
    assert len(labels) == len(during) and {label.true_class for label in labels} == {None}
    label = PlannedLabel(1, None, 0.3)
    assert label.resolve(0.31, 0) == FRAUD and label.resolve(0.3, 1) == LEGITIMATE
    assert replace(label, of_other_request=True).resolve(0.9, 0.1) == LEGITIMATE


def test_every_scenario_of_the_vocabulary_is_described() -> None:
    """A name without a line in the table could not be chosen; one without a name would be lost."""
    missing = set(SCENARIO_NAMES) ^ set(NAMES)

    assert not missing, (
        f"{missing}: a scenario is a name in simulator/contract/vocabulary.py"
        " and a line in simulator/traffic/scenarios.py"
    )


@pytest.mark.parametrize("name", [name for name in SCENARIO_NAMES if name != "steady"])
def test_every_scenario_changes_something(ranked: ModelInfo, name: str) -> None:
    """A scenario that nothing acts on would be steady traffic by another name."""
    sample = SampledTransaction({f.name: 20 for f in ranked.features}, "basic")
    steady, schedule = ScenarioSchedule(), ScenarioSchedule(name, 20, 20)

    sent = plan(ranked, schedule, LABELS, [sample])

    assert sent != plan(ranked, steady, LABELS, [sample]) or schedule.hold_label(30) != 30, (
        f"{name} sends what steady sends: it acts in simulator/traffic/request_plan.py"
        " or in a source of simulator/transactions"
    )


def test_help_has_every_scenario_with_its_alerts(read_root: Path) -> None:
    """And the alerts exist: each has its runbook."""
    text = describe_scenarios()
    for scenario in SCENARIOS:
        assert f"  {scenario.name} " in text and scenario.alerts in " ".join(text.split())
        for word in scenario.alerts.replace(",", " ").replace(";", " ").split():
            if word[0].isupper():
                assert (read_root / "docs" / "runbooks" / f"{word}.md").exists(), word
