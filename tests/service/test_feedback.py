"""`POST /feedback`: each outcome is counted exactly once; what is refused is counted too."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from service.feedback import CLOCK_SKEW_SECONDS, Feedback, LabelledReceipt
from service.receipts import Receipts
from service.used_receipts import PendingOutcome, SqliteUsedReceipts, UsedReceiptsError
from telemetry.lifecycle import Telemetry
from tests.conftest import Counted, total
from tests.json_client import JsonClient


@pytest.fixture
def predicted(client: JsonClient, valid: dict[str, object]) -> Callable[..., str]:
    """predicted(risk): the receipt of a prediction."""

    def predict(risk: float = 0.6) -> str:
        answer = client.post("/predict", json=valid | {"location_risk": risk}).json
        return str(answer["receipt"])

    return predict


OUTCOME = (
    '{"role":"champion","class_name":"fraud","truth":"fraud","user_type":"basic",'
    '"value_band":"low","probability":0.9,"delay":5}'
)


def send_label(client: JsonClient, receipt: str, label: str = "fraud") -> Any:
    return client.post("/feedback", json={"receipt": receipt, "label": label})


def test_outcome_is_counted_with_everything_that_later_questions_need(
    client: JsonClient, counted: Counted, predicted: Callable[..., str]
) -> None:
    assert send_label(client, predicted(0.6), "legitimate").json["result"] == "counted"
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


def test_repeated_receipt_is_not_counted_again(
    client: JsonClient, counted: Counted, predicted: Callable[..., str]
) -> None:
    receipt = predicted()
    send_label(client, receipt)
    again = send_label(client, receipt, "legitimate")
    assert (again.status_code, again.json["error"]["type"]) == (409, "repeated_receipt")
    assert counted("outcomes_total") == 1
    assert counted("feedback_total", result="repeated") == 1


@pytest.mark.parametrize(
    "broken", [lambda r: r[:-2], lambda r: "x" + r, lambda r: "", lambda r: "é"]
)
def test_forged_receipt_is_refused(
    client: JsonClient,
    counted: Counted,
    predicted: Callable[..., str],
    broken: Callable[[str], str],
) -> None:
    answer = send_label(client, broken(predicted()))
    assert (answer.status_code, answer.json["error"]["type"]) == (422, "forged_receipt")
    assert counted("outcomes_total") == 0
    assert counted("feedback_total", result="forged") == 1


def test_receipt_of_another_service_is_forged(client: JsonClient) -> None:
    theirs = Receipts(["their key"]).issue("1-abcd1234", "fraud", 0.6, "basic", "low")
    assert send_label(client, theirs).json["error"]["type"] == "forged_receipt"


def test_receipt_of_a_model_no_longer_served_is_foreign(
    client: JsonClient, counted: Counted
) -> None:
    old = Receipts(["key"]).issue("0-old", "fraud", 0.6, "basic", "low")
    assert send_label(client, old).json["error"]["type"] == "foreign_receipt"
    assert counted("feedback_total", result="foreign") == 1


def test_label_is_counted_by_the_age_of_its_prediction(
    client: JsonClient, counted: Counted
) -> None:
    receipt = Receipts(["key"]).issue("1-abcd1234", "fraud", 0.6, "basic", "low")
    send_label(client, receipt)
    labels = {"class_name": "fraud", "truth": "fraud", "version_slot": "1"}
    assert counted("outcome_ages_total", age="10m", **labels) == 1
    assert counted("outcome_ages_total") == 1


@pytest.fixture
def at(recorded: Telemetry, tmp_path: Path) -> Callable[[float], str]:
    """at(seconds): the result of a receipt that was issued so long ago, by this worker's clock."""
    receipts, used = Receipts(["key"]), SqliteUsedReceipts(tmp_path / "l")

    def count(seconds: float) -> str:
        def clock() -> float:
            return time.time() + seconds

        feedback = Feedback(receipts, used, recorded.recorder, "s", {"1": "champion"}, 100, clock)
        receipt = receipts.issue("1", "fraud", 0.6, "basic", "low")
        return feedback.count(LabelledReceipt(receipt, "fraud"))

    return count


@pytest.mark.parametrize(
    ("seconds", "result"),
    [
        (102, "expired"),
        (98, "counted"),
        (0, "counted"),
        (-1.5, "counted"),
        (1.5 - CLOCK_SKEW_SECONDS, "counted"),
        (-1.5 - CLOCK_SKEW_SECONDS, "future"),
    ],
)
def test_age_of_a_receipt_decides(at: Callable[[float], str], seconds: float, result: str) -> None:
    """Another replica's clock may be a little ahead: its receipts are no older than new ones."""
    assert at(seconds) == result


def test_delay_of_a_receipt_from_the_future_is_zero(
    at: Callable[[float], str], recorded: Telemetry
) -> None:
    at(-5)
    assert recorded.exposition is not None
    text = recorded.exposition.render("")[0].decode()
    assert total(text, "outcome_delay_seconds_sum") == 0


def test_receipt_of_the_future_is_to_be_sent_again(
    client: JsonClient,
    counted: Counted,
    predicted: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """503 with Retry-After; when the clocks agree it is counted, and only then."""
    receipt = predicted()
    parsed, _ = Receipts(["key"]).read(receipt)
    with monkeypatch.context() as patched:
        patched.setattr(Receipts, "read", lambda *_: (parsed, time.time() + 3600))
        answer = send_label(client, receipt)
    assert (answer.status_code, answer.json["error"]["type"]) == (503, "future_receipt")
    assert answer.headers["Retry-After"] == "60"
    assert counted("feedback_total", result="future") == 1
    assert send_label(client, receipt).json["result"] == "counted"


def test_batch_says_what_became_of_each(
    client: JsonClient, counted: Counted, predicted: Callable[..., str]
) -> None:
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
        (
            {"receipt": "r", "label": True},
            "wrong_type",
            "label must be text, got bool: it must be legitimate or fraud",
        ),
        ({"receipt": "r", "label": 1}, "wrong_type", "got int: it must be legitimate or fraud"),
        ({"receipt": "r", "label": "maybe"}, "unknown_category", "got 'maybe'"),
        ({"receipt": "r", "label": "fraud", "x": 1}, "unknown_field", "'x' is not a field here"),
        ({"feedback": {}}, "wrong_type", "feedback must be a list"),
        ({"feedback": []}, "batch_size", "1 to 20 entries, got 0"),
        ({"feedback": [{}] * 21}, "batch_size", "got 21"),
        ({"feedback": [{"receipt": "r"}]}, "missing_field", "feedback[0].label is missing"),
    ],
)
def test_bad_feedback_is_refused_and_counted(
    client: JsonClient, counted: Counted, body: object, type: str, says: str
) -> None:
    answer = client.post("/feedback", json=body)
    assert (answer.status_code, answer.json["error"]["type"]) == (400, type)
    assert says in answer.json["error"]["message"]
    assert counted("errors_total", type=type, endpoint="/feedback") == 1


class DeadStore:
    def use(self, *arguments: object) -> NoReturn:
        raise UsedReceiptsError("gone")

    find_pending = use


def test_dead_store_counts_nothing_and_says_so(
    client: JsonClient,
    counted: Counted,
    predicted: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """503: the caller sends it again later, and then it is counted."""
    receipt = predicted()
    with monkeypatch.context() as patched:
        patched.setattr(SqliteUsedReceipts, "use", DeadStore.use)
        answer = send_label(client, receipt)
        assert (answer.status_code, answer.json["error"]["type"]) == (503, "unavailable")
        assert counted("outcomes_total") == 0
    assert send_label(client, receipt).json["result"] == "counted"


def test_what_a_killed_worker_wrote_down_is_counted_once_by_its_successor(
    recorded: Telemetry, tmp_path: Path
) -> None:
    """The worker died between storing and counting: the next one counts it, and only once."""
    receipts, used = Receipts(["key"]), SqliteUsedReceipts(tmp_path / "l")
    used.use("its receipt", time.time() + 60, "slot", PendingOutcome(1, OUTCOME))
    for _ in range(2):
        feedback = Feedback(receipts, used, recorded.recorder, "slot", {"1": "champion"}, 60)
        feedback.recover()
        receipt = receipts.issue("1", "fraud", 0.9, "basic", "low")
        assert feedback.count(LabelledReceipt(receipt, "fraud")) == "counted"
    assert recorded.recorder.last_outcome_number() == 3


def test_store_that_is_away_at_the_start_is_asked_again_later(
    recorded: Telemetry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipts, used = Receipts(["key"]), SqliteUsedReceipts(tmp_path / "l")
    feedback = Feedback(receipts, used, recorded.recorder, "slot", {"1": "champion"}, 60)
    used.use("its receipt", time.time() + 60, "slot", PendingOutcome(1, OUTCOME))
    with monkeypatch.context() as patched:
        patched.setattr(SqliteUsedReceipts, "find_pending", DeadStore.use)
        feedback.recover()
    assert recorded.recorder.last_outcome_number() == 0
    receipt = receipts.issue("1", "fraud", 0.9, "basic", "low")
    feedback.count(LabelledReceipt(receipt, "fraud"))
    assert recorded.recorder.last_outcome_number() == 2


def test_used_receipts_are_forgotten_when_they_expire(tmp_path: Path) -> None:
    used = SqliteUsedReceipts(tmp_path / "l")
    used.use("old", time.time() - 1, "s", PendingOutcome(1, ""))
    used._pruned_at = 0
    used.use("new", time.time() + 60, "s", PendingOutcome(2, ""))
    rows = used._connection().execute("SELECT receipt FROM used").fetchall()
    assert rows == [("new",)]


def test_full_store_refuses_and_takes_again_what_old_receipts_make_room_for(
    tmp_path: Path,
) -> None:
    """The bound is of the file, whatever else is on its disk."""
    path, number = tmp_path / "l", 0
    used = SqliteUsedReceipts(path, most_bytes=256 * 1024)
    with pytest.raises(UsedReceiptsError, match="full"):
        for number in range(20_000):
            used.use(f"{number:016}", time.time() - 1, "s", PendingOutcome(number, ""))
    assert 1000 < number < 5000
    assert path.stat().st_size <= 256 * 1024
    used._pruned_at = 0
    assert used.use("new", time.time() + 60, "s", PendingOutcome(number, ""))


def test_pending_outcome_of_other_counters_is_left_alone(tmp_path: Path) -> None:
    """A new container has the name of the one before it, and counters that begin anew."""
    before = SqliteUsedReceipts(tmp_path / "l", folder_id="before")
    before.use("a receipt", time.time() + 60, "host-0", PendingOutcome(57, OUTCOME))
    after = SqliteUsedReceipts(tmp_path / "l", folder_id="after")
    assert after.find_pending("host-0", 0) == []
    assert not after.use("a receipt", time.time() + 60, "host-0", PendingOutcome(1, OUTCOME))
    assert before.find_pending("host-0", 0) == [PendingOutcome(57, OUTCOME)]
