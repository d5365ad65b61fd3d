"""A second model: it is compared, it may serve its share, and it never harms an answer."""

from __future__ import annotations

import time

import msgspec
import pytest

from handler import create_app
from model.serving.cohorts import OLDEST_SECONDS, find_cohort
from model.serving.errors import ModelError
from service.challenger import Challenger, TrafficSplit, check_same_schema
from service.circuit_breaker import RETRY_SECONDS, CircuitBreaker
from service.feedback import Feedback, LabelledReceipt
from service.receipts import Receipts, ShadowPrediction
from service.used_receipts import SqliteUsedReceipts
from telemetry.recorder import Recorder
from tests.conftest import LocationRiskScorer, make_card, total
from tests.lab.polling import until

DAYS = 60 * 86_400


class Other(LocationRiskScorer):
    """The challenger: always 0.9; may fail or take its time."""

    def __init__(self) -> None:
        super().__init__()
        self.card = msgspec.structs.replace(make_card(), version="2-other")
        self.delay = 0.0

    def score(self, rows):
        time.sleep(self.delay)
        super().score(rows)
        return [0.9] * len(rows)


@pytest.fixture
def other():
    return Other()


@pytest.fixture
def beside(scorer, other, recorded, settings, tmp_path):
    """beside(shadow_percent, serves_percent): a client of a service with the challenger."""

    def make(shadow: int, serves: int, timeout: float = 0.2, wait: float = 30):
        """It waits long enough for any machine, so that no test depends on the machine's load."""
        split = TrafficSplit(shadow, serves, timeout, wait)
        challenger = Challenger(other, split, recorded.recorder)
        receipts = Receipts(["k"])
        used = SqliteUsedReceipts(tmp_path / "used")
        roles = {"1-abcd1234": "champion", "2-other": "challenger"}
        feedback = Feedback(receipts, used, recorded.recorder, recorded.instance, roles, DAYS)
        app = create_app(
            scorer, recorded, receipts, settings, challenger=challenger, feedback=feedback
        )
        return app.test_client()

    return make


def counted(client, name, **labels):
    return total(client.get("/metrics").text, name, **labels)


def test_shadow_is_compared_and_does_not_answer(beside, valid):
    """Champion 0.2 and legitimate, challenger 0.9 and fraud: the answer is the champion's."""
    client = beside(100, 0)
    answer = client.post("/predict", json=valid).json
    assert (answer["fraud_probability"], answer["model_version"]) == (0.2, "1-abcd1234")
    until(lambda: counted(client, "challenger_requests_total", result="scored") == 1, 10, "scored")
    pair = {"champion": "legitimate", "challenger": "fraud"}
    until(lambda: counted(client, "challenger_decisions_total", **pair) == 1, 10, "compared")
    assert counted(client, "challenger_score_difference_sum") == pytest.approx(0.7)


def test_failing_shadow_is_counted_and_not_noticed(beside, other, valid):
    client = beside(100, 0)
    other.fault = RuntimeError("broken")
    assert client.post("/predict", json=valid).json["fraud_probability"] == 0.2
    until(lambda: counted(client, "challenger_requests_total", result="failed") == 1, 10, "failed")


def test_hanging_shadow_holds_nothing_up(beside, other, valid):
    """It hangs with the first request; the queue fills, the rest is skipped, all are answered."""
    client = beside(100, 0, wait=0.005)
    other.delay = 30
    began = time.monotonic()
    for _ in range(100):
        assert client.post("/predict", json=valid).status_code == 200
    assert time.monotonic() - began < 25
    assert counted(client, "challenger_requests_total", result="skipped") >= 30


def test_serving_challenger_answers_its_keys(beside, valid):
    """At 50 % each key always has the same model, and about half of the keys have each."""
    client = beside(0, 50)

    def version(key: int) -> str:
        headers = {"X-Routing-Key": f"customer-{key}"}
        return client.post("/predict", json=valid, headers=headers).json["model_version"]

    first = [version(key) for key in range(200)]
    assert [version(key) for key in range(200)] == first
    assert 70 <= first.count("2-other") <= 130
    assert counted(client, "served_total", role="challenger") == 2 * first.count("2-other")


def test_receipt_names_the_model_that_answered(beside, valid):
    answer = beside(0, 100).post("/predict", json=valid).json
    assert answer["model_version"] == "2-other"
    assert Receipts(["k"]).read(answer["receipt"])[0].model_version == "2-other"


@pytest.mark.parametrize(("fault", "delay", "result"), [(True, 0, "failed"), (False, 2, "late")])
def test_champion_answers_for_a_challenger_that_cannot(beside, other, valid, fault, delay, result):
    client = beside(0, 100)
    other.fault, other.delay = (RuntimeError() if fault else None), delay
    assert client.post("/predict", json=valid).json["model_version"] == "1-abcd1234"
    assert counted(client, "challenger_requests_total", result=result) == 1


def test_model_info_tells_of_the_challenger(beside):
    assert beside(100, 10).get("/model_info").json["challenger"] == {
        "version": "2-other",
        "shadow_percent": 100,
        "serves_percent": 10,
    }


def test_challenger_with_other_fields_is_refused():
    other = msgspec.structs.replace(make_card(), version="2-x", features=make_card().features[:4])
    with pytest.raises(ModelError, match="2-x takes other fields than champion 1-abcd1234"):
        check_same_schema(make_card(), other)


def send_label(client, receipt, label="fraud"):
    return client.post("/feedback", json={"receipt": receipt, "label": label}).json


def read(answer):
    return Receipts(["k"]).read(answer["receipt"])[0]


@pytest.mark.parametrize(("shares", "first"), [((100, 0), "champion"), ((0, 100), "challenger")])
def test_outcome_is_counted_jointly_whoever_answered(beside, valid, shares, first):
    """Champion legitimate, challenger fraud, truth fraud: once, in that cell alone."""
    client = beside(*shares)
    receipt = client.post("/predict", json=valid).json["receipt"]
    for _ in range(2):
        send_label(client, receipt)
    cell = {"champion": "legitimate", "challenger": "fraud", "truth": "fraud"}
    assert counted(client, "paired_outcomes_total", **cell) == 1
    assert counted(client, "paired_outcomes_total") == 1
    assert counted(client, "outcomes_total", role=first) == 1
    assert counted(client, "challenger_decisions_total") == 1


@pytest.mark.parametrize("shares", [(100, 0), (0, 100)])
def test_prediction_and_outcome_are_counted_in_the_week_of_the_prediction(beside, valid, shares):
    client = beside(*shares)
    answer = client.post("/predict", json=valid).json
    send_label(client, answer["receipt"])
    issued = Receipts(["k"]).read(answer["receipt"])[1]
    cell = {"champion": "legitimate", "challenger": "fraud", "cohort": find_cohort(issued)}
    assert counted(client, "paired_predictions_total", **cell) == 1
    assert counted(client, "paired_predictions_total") == 1
    assert counted(client, "paired_cohort_outcomes_total", truth="fraud", **cell) == 1
    assert counted(client, "paired_cohort_outcomes_total") == 1


def test_outcome_of_an_old_prediction_is_in_no_cohort(beside, valid, monkeypatch):
    client, clock = beside(100, 0), time.time
    monkeypatch.setattr(time, "time", lambda: clock() - OLDEST_SECONDS - 1)
    receipt = client.post("/predict", json=valid).json["receipt"]
    monkeypatch.undo()
    send_label(client, receipt)
    assert counted(client, "paired_outcomes_total") == 1
    assert counted(client, "paired_cohort_outcomes_total") == 0


def test_batch_has_both_decisions_row_by_row(beside, valid):
    rows = [valid | {"location_risk": risk} for risk in (0.1, 0.6, 0.3)]
    answers = beside(100, 0).post("/predict", json={"transactions": rows}).json["predictions"]
    receipts = [read(answer) for answer in answers]
    assert [one.probability for one in receipts] == [0.1, 0.6, 0.3]
    assert {(one.shadow.model_version, one.shadow.probability) for one in receipts} == {
        ("2-other", 0.9)
    }


def test_failing_champion_does_not_touch_the_challengers_answer(beside, scorer, valid):
    client = beside(0, 100)
    scorer.fault = RuntimeError("broken")
    answer = client.post("/predict", json=valid).json
    assert (answer["model_version"], read(answer).shadow) == ("2-other", None)


def test_without_the_challengers_decision_the_receipt_has_one(beside, other, valid):
    client = beside(100, 0)
    other.fault = RuntimeError("broken")
    answer = client.post("/predict", json=valid).json
    assert read(answer).shadow is None
    assert send_label(client, answer["receipt"])["result"] == "counted"
    assert counted(client, "paired_outcomes_total") == 0


def test_pair_of_earlier_roles_is_not_counted_jointly(beside):
    """A receipt whose second model is not loaded any more still tells about the first."""
    client = beside(100, 0)
    shadow = ShadowPrediction("0-earlier", "fraud", 0.9)
    receipt = Receipts(["k"]).issue("1-abcd1234", "fraud", 0.6, "basic", "low", shadow)
    assert send_label(client, receipt)["result"] == "counted"
    assert counted(client, "paired_outcomes_total") == 0


def test_circuit_breaker_opens_after_a_failure_and_closes_after_a_success():
    """One trial in RETRY_SECONDS until one succeeds: so a challenger that hangs costs a worker no
    more than that one wait."""
    now = [0.0]
    breaker = CircuitBreaker(0.005, lambda: now[0])
    assert [breaker.allowed_wait() for _ in range(3)] == [0.005] * 3
    breaker.record_failure()
    assert breaker.allowed_wait() == 0
    now[0] += RETRY_SECONDS
    assert [breaker.allowed_wait() for _ in range(3)] == [0.005, 0, 0]
    now[0] += RETRY_SECONDS
    assert breaker.allowed_wait() == 0.005
    breaker.record_success()
    assert [breaker.allowed_wait() for _ in range(3)] == [0.005] * 3


def test_after_a_wait_in_vain_the_next_answer_does_not_wait(beside, other, valid):
    """The second answer would have its decision if it waited."""
    client = beside(100, 0, wait=0.005)
    other.delay = 2
    assert read(client.post("/predict", json=valid).json).shadow is None
    other.delay = 0.0
    assert read(client.post("/predict", json=valid).json).shadow is None
    until(lambda: counted(client, "challenger_requests_total", result="scored") == 2, 10, "scored")
    assert counted(client, "challenger_decisions_total") == 2


def test_pair_that_a_killed_worker_wrote_down_is_counted_by_its_successor(
    recorded, tmp_path, monkeypatch
):
    """The worker ends between storing and counting: its successor counts both decisions."""
    receipts, used = Receipts(["k"]), SqliteUsedReceipts(tmp_path / "used")
    roles = {"1": "champion", "2": "challenger"}

    def worker() -> Feedback:
        return Feedback(receipts, used, recorded.recorder, "slot", roles, 60)

    receipt = receipts.issue(
        "2", "fraud", 0.9, "basic", "low", ShadowPrediction("1", "legitimate", 0.2)
    )
    with monkeypatch.context() as dying:
        dying.setattr(Recorder, "record_outcome", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            worker().count(LabelledReceipt(receipt, "fraud"))
    for _ in range(2):
        worker().recover()
    text = recorded.exposition.render("")[0].decode()
    cell = {"champion": "legitimate", "challenger": "fraud", "truth": "fraud"}
    assert total(text, "paired_outcomes_total", **cell) == 1
    assert total(text, "paired_outcomes_total") == total(text, "outcomes_total") == 1
