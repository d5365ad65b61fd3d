"""`POST /feedback`: each outcome is counted exactly once; what cannot be is told and counted."""

from __future__ import annotations

import time

import pytest

from service.feedback import Feedback
from service.receipts import Receipts
from service.used_receipts import LedgerError, Note, SqliteLedger


@pytest.fixture
def predicted(client, valid):
    """predicted(risk): the receipt of a prediction."""

    def predict(risk: float = 0.6) -> str:
        return client.post("/predict", json=valid | {"location_risk": risk}).json["receipt"]

    return predict


OUTCOME = (
    '{"role":"champion","class_name":"fraud","truth":"fraud","user_type":"basic",'
    '"value_band":"low","probability":0.9,"delay":5}'
)


def tell(client, receipt, label="fraud"):
    return client.post("/feedback", json={"receipt": receipt, "label": label})


def test_outcome_is_counted_with_everything_that_later_questions_need(client, counted, predicted):
    assert tell(client, predicted(0.6), "legitimate").json["result"] == "counted"
    labels = {
        "role": "champion",
        "class_name": "fraud",
        "truth": "legitimate",
        "user_type": "standard",
        "value_band": "low",
    }
    assert counted("outcomes_total", **labels) == counted("outcomes_total") == 1
    assert counted("outcome_scores_total", truth="legitimate", bin="15") == 1
    assert counted("outcome_probability_total", bin="15") == pytest.approx(0.6)
    assert counted("outcome_squared_error_total") == pytest.approx(0.36)
    assert counted("outcome_delay_seconds_count") == 1
    assert counted("feedback_total", result="counted") == 1


def test_repeated_receipt_is_not_counted_again(client, counted, predicted):
    receipt = predicted()
    tell(client, receipt)
    again = tell(client, receipt, "legitimate")
    assert (again.status_code, again.json["error"]["type"]) == (409, "repeated_receipt")
    assert counted("outcomes_total") == 1
    assert counted("feedback_total", result="repeated") == 1


@pytest.mark.parametrize(
    "broken", [lambda r: r[:-2], lambda r: "x" + r, lambda r: "", lambda r: "é"]
)
def test_forged_receipt_is_refused(client, counted, predicted, broken):
    answer = tell(client, broken(predicted()))
    assert (answer.status_code, answer.json["error"]["type"]) == (400, "forged_receipt")
    assert counted("outcomes_total") == 0
    assert counted("feedback_total", result="forged") == 1


def test_receipt_of_another_service_is_forged(client):
    theirs = Receipts(["their key"]).issue("1-abcd1234", "fraud", 0.6, "basic", "low")
    assert tell(client, theirs).json["error"]["type"] == "forged_receipt"


def test_receipt_of_a_model_no_longer_served_is_foreign(client, counted):
    old = Receipts(["key"]).issue("0-old", "fraud", 0.6, "basic", "low")
    assert tell(client, old).json["error"]["type"] == "foreign_receipt"
    assert counted("feedback_total", result="foreign") == 1


def test_expired_receipt_is_refused(recorded, tmp_path):
    receipts = Receipts(["key"])
    feedback = Feedback(
        receipts, SqliteLedger(tmp_path / "l"), recorded.recorder, "s", {"1": "champion"}, 0
    )
    receipt = receipts.issue("1", "fraud", 0.6, "basic", "low")
    time.sleep(1.1)
    assert feedback.take(receipt, "fraud") == "expired"


def test_batch_tells_what_became_of_each(client, counted, predicted):
    first, second = predicted(), predicted()
    entries = [{"receipt": r, "label": "fraud"} for r in (first, first, "nonsense", second)]
    results = client.post("/feedback", json={"feedback": entries}).json["results"]
    assert [one["result"] for one in results] == ["counted", "repeated", "forged", "counted"]
    assert counted("outcomes_total") == 2


@pytest.mark.parametrize(
    ("body", "type", "says"),
    [
        ([], "wrong_type", "the body must be an object, got list"),
        ({}, "missing_field", "receipt is missing"),
        ({"receipt": "r"}, "missing_field", "label is missing"),
        ({"receipt": 5, "label": "fraud"}, "wrong_type", "receipt must be text, got int"),
        ({"receipt": "r", "label": True}, "wrong_type", "label must be text, got bool"),
        ({"receipt": "r", "label": "maybe"}, "unknown_category", "got 'maybe'"),
        ({"receipt": "r", "label": "fraud", "x": 1}, "unknown_field", "x is not known"),
        ({"feedback": {}}, "wrong_type", "feedback must be a list"),
        ({"feedback": []}, "batch_size", "1 to 20 entries, got 0"),
        ({"feedback": [{}] * 21}, "batch_size", "got 21"),
        ({"feedback": [{"receipt": "r"}]}, "missing_field", "feedback[0].label is missing"),
    ],
)
def test_bad_feedback_is_refused_and_counted(client, counted, body, type, says):
    answer = client.post("/feedback", json=body)
    assert (answer.status_code, answer.json["error"]["type"]) == (400, type)
    assert says in answer.json["error"]["message"]
    assert counted("errors_total", type=type, endpoint="/feedback") == 1


class DeadLedger:
    def use(self, *arguments):
        raise LedgerError("gone")

    open_notes = use


def test_dead_ledger_counts_nothing_and_says_so(client, counted, predicted, monkeypatch):
    """503: the caller sends it again later, and then it is counted."""
    receipt = predicted()
    with monkeypatch.context() as patched:
        patched.setattr(SqliteLedger, "use", DeadLedger.use)
        answer = tell(client, receipt)
        assert (answer.status_code, answer.json["error"]["type"]) == (503, "unavailable")
        assert counted("outcomes_total") == 0
    assert tell(client, receipt).json["result"] == "counted"


def test_what_a_killed_worker_wrote_down_is_counted_once_by_its_successor(recorded, tmp_path):
    """The worker died between the ledger and the count: the next one counts it, and only once."""
    receipts, ledger = Receipts(["key"]), SqliteLedger(tmp_path / "l")
    ledger.use("its receipt", time.time() + 60, "slot", Note(1, OUTCOME))
    for _ in range(2):
        feedback = Feedback(receipts, ledger, recorded.recorder, "slot", {"1": "champion"}, 60)
        feedback.begin()
        receipt = receipts.issue("1", "fraud", 0.9, "basic", "low")
        assert feedback.take(receipt, "fraud") == "counted"
    assert recorded.recorder.last_note() == 3


def test_ledger_that_is_away_at_the_start_is_asked_again_later(recorded, tmp_path, monkeypatch):
    receipts, ledger = Receipts(["key"]), SqliteLedger(tmp_path / "l")
    feedback = Feedback(receipts, ledger, recorded.recorder, "slot", {"1": "champion"}, 60)
    ledger.use("its receipt", time.time() + 60, "slot", Note(1, OUTCOME))
    with monkeypatch.context() as patched:
        patched.setattr(SqliteLedger, "open_notes", DeadLedger.use)
        feedback.begin()
    assert recorded.recorder.last_note() == 0
    feedback.take(receipts.issue("1", "fraud", 0.9, "basic", "low"), "fraud")
    assert recorded.recorder.last_note() == 2


def test_used_receipts_are_forgotten_when_they_expire(tmp_path):
    ledger = SqliteLedger(tmp_path / "l")
    ledger.use("old", time.time() - 1, "s", Note(1, ""))
    ledger._pruned_at = 0
    ledger.use("new", time.time() + 60, "s", Note(2, ""))
    rows = ledger._connection().execute("SELECT receipt FROM used").fetchall()
    assert rows == [("new",)]
