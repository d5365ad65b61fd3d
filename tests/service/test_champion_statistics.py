"""What the champion's statistics count while a challenger answers a share of the traffic."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from service.feedback import Feedback, LabelledReceipt
from service.receipts import Receipts, ShadowPrediction
from service.served_models import ServedModels
from service.used_receipts import SqliteUsedReceipts
from telemetry.lifecycle import Telemetry
from tests.conftest import LocationRiskScorer, total
from tests.json_client import JsonClient
from tests.service.conftest import MakeClient, Other

ROWS = 400


def send(client: JsonClient, valid: dict[str, object]) -> list[dict[str, object]]:
    """The answers for customers of whom one in twenty is a likely fraud."""
    draw = random.Random(5)
    answers = []
    for key in range(ROWS):
        row = valid | {"location_risk": 0.8 if draw.random() < 0.05 else 0.02}
        headers = {"X-Routing-Key": f"customer-{key}"}
        answers.append(client.post("/predict", json=row, headers=headers).json)
    return answers


def read(client: JsonClient) -> Callable[..., float]:
    text = client.get("/metrics").text
    return lambda name, **labels: total(text, name, **labels)


@pytest.mark.parametrize("serves", [0, 50, 100])
def test_they_are_of_its_own_decisions_about_all_traffic(
    with_challenger: MakeClient, valid: dict[str, object], serves: int
) -> None:
    """Share of fraud and expected precision do not depend on the share that is answered by a
    challenger to whom all is fraud. Counted by answers, at half of the traffic 0.53 were fraud."""
    client = with_challenger(0, serves)
    answers = send(client, valid)
    count = read(client)
    frauds = count("champion_decisions_total", class_name="fraud")
    precision = count("prediction_probability_total", class_name="fraud") / frauds
    assert count("champion_decisions_total") == count("score_values_total") == ROWS
    assert frauds == pytest.approx(0.05 * ROWS, abs=10)
    assert precision == pytest.approx(0.8)
    answered = sum(answer["prediction"] == "fraud" for answer in answers)
    assert count("predictions_total", class_name="fraud") == answered
    assert answered >= frauds + (ROWS - frauds) * serves / 100 * 0.7


def test_answers_are_counted_apart_from_decisions(
    with_challenger: MakeClient, valid: dict[str, object]
) -> None:
    """What the challenger answered is no answer of the champion; that of the rest is its own."""
    client = with_challenger(0, 50)
    answers = send(client, valid)
    own = [one for one in answers if one["model_version"] == "1-abcd1234"]
    count = read(client)
    assert count("champion_answers_total") == len(own) < ROWS
    frauds = sum(one["prediction"] == "fraud" for one in own)
    assert count("champion_answers_total", class_name="fraud") == frauds


def test_they_lack_what_the_champion_failed_on(
    with_challenger: MakeClient, scorer: LocationRiskScorer, valid: dict[str, object]
) -> None:
    client = with_challenger(0, 100)
    scorer.fault = RuntimeError("broken")
    assert client.post("/predict", json=valid).json["model_version"] == "2-other"
    count = read(client)
    assert count("champion_decisions_total") == count("feature_values_total") == 0
    assert count("predictions_total") == 1


def load(version: str) -> Other:
    """A loaded model of that version."""
    scorer = Other()
    scorer.card = msgspec.structs.replace(scorer.card, version=version)
    return scorer


@pytest.mark.parametrize(
    ("earlier", "counted"),
    [
        ((), []),
        (("4-aaaaaaaa", "3-aaaaaaaa"), ["4-aaaaaaaa", "3-aaaaaaaa"]),
        # The champion is 5 and the challenger 6: these share their slots.
        (("13-aaaaaaaa", "14-aaaaaaaa", "4-aaaaaaaa"), ["4-aaaaaaaa"]),
        (("4-aaaaaaaa", "12-aaaaaaaa"), ["4-aaaaaaaa"]),
        (("6-aaaaaaaa",), []),
    ],
    ids=["none", "two", "slots of the loaded", "slot of a later one", "now the challenger"],
)
def test_labels_of_earlier_champions_are_counted_where_their_slot_is_free(
    earlier: tuple[str, ...], counted: list[str]
) -> None:
    models = ServedModels(load("5-aaaaaaaa"), None, load("6-aaaaaaaa"), earlier)
    assert models.roles() == {"5-aaaaaaaa": "champion", "6-aaaaaaaa": "challenger"}
    assert models.labelled_later() == counted


def test_label_of_an_earlier_champion_is_its_own(recorded: Telemetry, tmp_path: Path) -> None:
    """Counted as a champion's, in its own version's slot, and in no pair with the models of now."""
    receipts, used = Receipts(["key"]), SqliteUsedReceipts(tmp_path / "l")
    roles = {"12-aaaaaaaa": "champion", "13-aaaaaaaa": "challenger"}
    earlier = ["11-aaaaaaaa"]
    feedback = Feedback(receipts, used, recorded.recorder, "s", roles, 100, earlier=earlier)
    shadow = ShadowPrediction("13-aaaaaaaa", "legitimate", 0.1)
    receipt = receipts.issue("11-aaaaaaaa", "fraud", 0.6, "basic", "low", shadow)
    assert feedback.count(LabelledReceipt(receipt, "fraud")) == "counted"
    assert recorded.exposition is not None
    text = recorded.exposition.render("")[0].decode()
    labels = {"role": "champion", "version_slot": "3", "class_name": "fraud", "truth": "fraud"}
    assert total(text, "outcomes_total", **labels) == total(text, "outcomes_total") == 1
    assert total(text, "outcome_scores_total", version_slot="3", truth="fraud") == 1
    assert total(text, "paired_outcomes_total") == 0
