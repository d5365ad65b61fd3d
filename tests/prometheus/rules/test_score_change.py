"""What moved the score: the change of the mean, divided among the features, and told."""

from __future__ import annotations

from pathlib import Path

import pytest

from prometheus.generator.panels import OF_JOB
from prometheus.generator.recordings.score_change import WINDOWS, change
from tests.lab.promtool import Case, run
from tests.lab.rules import read_rules
from tests.prometheus.rules.checks import check_rules, expect_nothing, expect_value
from tests.prometheus.rules.series import (
    SLOT,
    VERSION,
    constant,
    handler,
    model,
    predictions,
    rising,
)

pytestmark = pytest.mark.stack

# Mean contributions: live, what they add and what they take away; and on the holdout.
FEATURES = {
    "amount": (0.08, 0.02, 0.01),
    "age": (0.01, 0.03, -0.005),
    "balance": (0.0, 0.0, 0.0),
    "risk": (0.05, 0.01, 0.012),
}


def explained(a_minute: float, *, opposite: bool = False) -> dict[str, str]:
    """So many explained predictions a minute, with these mean contributions, or the opposite."""
    ways = ("lowers", "raises") if opposite else ("raises", "lowers")
    found = handler("explanations_total", rising(a_minute))
    for feature, (raises, lowers, usual) in FEATURES.items():
        for direction, mean in zip(ways, (raises, lowers), strict=True):
            found |= handler(
                "feature_attribution_total",
                rising(a_minute * mean),
                feature=feature,
                direction=direction,
            )
        found |= handler("feature_holdout_contribution", constant(usual), feature=feature)
    return found


@pytest.mark.parametrize("window", WINDOWS)
def test_changes_add_up_to_that_of_the_mean_score(tools: Path, tmp_path: Path, window: str) -> None:
    """0.08 live (0.14 up, 0.06 down) against 0.017 on the holdout; nothing where too few were
    explained, or by two versions in one slot."""
    name = change(window)
    many, few = model() | explained(4), model() | explained(0.1)
    other = handler("model_version", constant(1), role="champion", version="9-cd34ab12")
    check_rules(
        tools,
        tmp_path,
        name,
        Case(
            "many",
            many,
            (
                expect_value(f'{name}{{feature="amount"}}', 0.05, at="80m"),
                expect_value(f'{name}{{feature="age"}}', -0.015, at="80m"),
                expect_value(f'{name}{{feature="balance"}}', 0, at="80m"),
                expect_value(name, 0.08 - 0.017, at="80m"),
            ),
        ),
        Case("few", few, (expect_nothing(name, at="80m"),)),
        Case("two models", many | other, (expect_nothing(name, at="80m"),)),
        Case("no series", model(), (expect_nothing(name, at="80m"),)),
    )


@pytest.mark.parametrize(
    ("series", "says"),
    [
        (
            explained(4),
            "It is 12%. The mean score moved most by amount +0.050, risk +0.028, age -0.015.",
        ),
        ({}, "It is 12%."),
        (explained(4, opposite=True), "It is 12%."),
    ],
    ids=["explained", "not explained", "explained by what moved the other way"],
)
def test_alert_names_the_three_features_that_moved_most(
    tools: Path, tmp_path: Path, series: dict[str, str], says: str
) -> None:
    """The largest changes of either sign, with their size; no word of it without explanations,
    and where the few that were explained do not add up to what all predictions show."""
    [rule] = [rule for rule in read_rules() if rule.get("alert") == "MeanScoreJump"]
    # promtool's server has no external address.
    links = {
        name: text.replace("{{ $externalURL }}", "").replace(OF_JOB, "&var-job=fraud-handler")
        for name, text in rule["annotations"].items()
    }
    fired = [
        {
            "exp_labels": {
                "job": "fraud-handler",
                "severity": "ticket",
                "window": window,
                "version": VERSION,
                "version_slot": SLOT,
            },
            "exp_annotations": links
            | {
                "summary": f"fraud-handler: The mean score is far from the holdout's of model"
                f" {VERSION} (last {window}).",
                "value": says,
            },
        }
        for window in ("15m", "1h", "24h")
    ]
    expected = {"eval_time": "80m", "alertname": "MeanScoreJump", "exp_alerts": fired}
    case = Case("jump", model() | predictions(3, 0.12) | series, (), alerts=(expected,))
    wrong = run(
        tools, tmp_path, [case], "MeanScoreJump", also=tuple(change(window) for window in WINDOWS)
    )
    assert not wrong, wrong
