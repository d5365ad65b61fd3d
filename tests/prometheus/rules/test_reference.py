"""The same transactions into Prometheus and into scipy and scikit-learn: the same statistics.

Time is compressed 60 times. Every counter begins at 0; the recorded counts are those of the
transactions, and so is what follows from them.

`pytest -s tests/prometheus/rules/test_reference.py` prints the largest difference of each
statistic.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2, norm
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from model.serving.outcome_bins import OUTCOME_BOUNDS
from model.serving.vocabulary import USER_TYPES
from prometheus.generator.generate import write
from prometheus.generator.thresholds import read_thresholds
from tests.lab.backfill import backfill
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.tools import tools_folder
from tests.prometheus.rules.reference import ALL, LABEL_WINDOWS, PARTS, Recorded, has_settled, psi
from tests.prometheus.rules.transactions import (
    BASELINE,
    BASELINE_ROWS,
    histories,
)

pytestmark = pytest.mark.stack

CLOSE = 1e-9
SIGMAS = read_thresholds().drift.sigmas
LARGEST: dict[str, float] = {}  # difference by statistic, over all windows and segments
Z = norm.ppf(0.975)
DRIFT_WINDOWS = ("15m", "1h", "24h")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """A real Prometheus with the scaled rules, fed, and every group evaluated."""
    folder = tmp_path_factory.mktemp("prometheus")
    write(folder / "rules", 60)
    with Prometheus(tools_folder(), folder) as prometheus:
        pushed = time.time()
        backfill(prometheus.url, histories(PARTS, pushed))
        until(lambda: has_settled(prometheus, pushed), 30, "the rules are evaluated", every=0.1)
        yield Recorded(prometheus, time.time())


def close(what: str, found: float, wanted: float) -> None:
    """Equal to CLOSE; the largest difference of the statistic is remembered."""
    LARGEST[what] = max(abs(found - wanted), LARGEST.get(what, 0.0))
    assert found == pytest.approx(wanted, abs=CLOSE)


@pytest.fixture(scope="module", autouse=True)
def print_differences() -> Iterator[None]:
    """The table of the largest differences, after the last test."""
    yield
    print("\n| statistic | largest difference |\n| --- | --- |")
    print("\n".join(f"| {what} | {difference:.0e} |" for what, difference in LARGEST.items()))


@pytest.mark.parametrize("window", DRIFT_WINDOWS)
@pytest.mark.parametrize("feature", BASELINE)
def test_drift(recorded: Recorded, feature: str, window: str) -> None:
    """PSI, Jensen-Shannon distance and what chance gives, with empty bins on either side."""
    one = f'{{feature="{feature}"}}'
    at = recorded.moment(f"feature:feature_values:distance_chance{window}{one}")
    counted = recorded.by("bin", f"feature_bin:feature_values:increase{window}{one}", at)
    names = list(BASELINE[feature])
    live, base = np.array([counted[n] for n in names]), np.array(list(BASELINE[feature].values()))
    truly = np.bincount(ALL.features[feature], minlength=len(names))
    np.testing.assert_array_equal(live, truly)

    def value(operation: str) -> float:
        return recorded.value(f"feature:feature_values:{operation}{window}{one}", at)

    close("PSI", value("psi"), psi(live, base, BASELINE_ROWS))
    close("Jensen-Shannon distance", value("js_distance"), jensenshannon(live, base, base=2))
    freedom, per_row = np.count_nonzero(base) - 1, 1 / live.sum() + 1 / BASELINE_ROWS
    share = live / live.sum()
    both = np.where(share + base > 0, share + base, 1)
    close("distance", value("distance"), 2 * ((share - base) ** 2 / both).sum())
    close("PSI expected by chance", value("psi_expected"), freedom * per_row)
    spread, sigmas = 2 / 9 / freedom, np.sqrt(SIGMAS**2 + 2 * np.log(len(BASELINE)))
    close(
        "quantile of the distance by chance",
        value("distance_chance"),
        freedom * per_row * (1 - spread + sigmas * np.sqrt(spread)) ** 3,
    )
    # Wilson and Hilferty's quantile is an approximation, never below the true one.
    true = chi2.isf(norm.sf(sigmas), freedom) * per_row
    assert true <= value("distance_chance") <= 1.12 * true


@pytest.mark.parametrize("window", LABEL_WINDOWS)
def test_decisions(recorded: Recorded, window: str) -> None:
    """Accuracy, precision, recall and F1, of all and of each user type."""
    scores = {
        "accuracy": accuracy_score,
        "precision": precision_score,
        "recall": recall_score,
    }
    segments = {'segment="all"': np.ones(len(ALL.truth), bool)} | {
        f'segment="user_type", value="{name}"': ALL.user_type == number
        for number, name in enumerate(USER_TYPES)
    }
    for segment, chosen in segments.items():
        truth, decision = ALL.truth[chosen], ALL.decision[chosen]
        for measure, reference in scores.items():
            selector = f'segment:outcomes:share{window}{{measure="{measure}", {segment}}}'
            close(measure, recorded.value(selector), reference(truth, decision))
        f1 = recorded.value(f"segment:outcomes:f1_score{window}{{{segment}}}")
        close("F1", f1, f1_score(truth, decision))


@pytest.mark.parametrize("measure", ["accuracy", "precision", "recall"])
@pytest.mark.parametrize("window", LABEL_WINDOWS)
def test_wilson_interval(recorded: Recorded, window: str, measure: str) -> None:
    """The bounds are the shares at which a score test would just not refuse what was seen."""
    chosen = f'{{measure="{measure}", segment="all"}}'
    at = recorded.moment(f"segment:outcomes:share_high{window}{chosen}")
    share, trials, low, high = (
        recorded.value(f"segment:outcomes:{what}{window}{chosen}", at)
        for what in ("share", "trials", "share_low", "share_high")
    )

    def refused(p: float) -> float:
        return float((share - p) ** 2 - Z**2 * p * (1 - p) / trials)

    close("Wilson interval", low, brentq(refused, 0, share, xtol=1e-14))
    close("Wilson interval", high, brentq(refused, share, 1, xtol=1e-14))


@pytest.mark.parametrize("window", LABEL_WINDOWS)
def test_scores(recorded: Recorded, window: str) -> None:
    """Binned ROC AUC, Brier and calibration error."""
    auc = recorded.value(f"job:outcome_scores:roc_auc{window}")
    close("ROC AUC, binned", auc, roc_auc_score(ALL.truth, ALL.bin))
    close(
        "Brier score",
        recorded.value(f"job:outcome_scores:brier{window}"),
        brier_score_loss(ALL.truth, ALL.probability),
    )
    wanted = 0.0
    for number in range(len(OUTCOME_BOUNDS)):
        inside = ALL.bin == number
        if inside.any():
            off = abs(ALL.probability[inside].mean() - ALL.truth[inside].mean())
            wanted += off * inside.mean()
    ratio = recorded.value(f"job:outcome_scores:fraud_ratio{window}")
    close("frauds against their probabilities", ratio, ALL.truth.sum() / ALL.probability.sum())
    error = recorded.value(f"job:outcome_scores:calibration_error{window}")
    close("calibration error (ECE)", error, wanted)


@pytest.mark.parametrize("window", ["1h", "1d", "7d"])
def test_expected_performance(recorded: Recorded, window: str) -> None:
    """Each transaction's confusion cells, expected from its probability alone, averaged."""
    p, alarm = ALL.probability, ALL.decision == 1
    hits, frauds = p[alarm].sum(), p.sum()
    wanted = {
        "accuracy": np.where(alarm, p, 1 - p).mean(),
        "precision": p[alarm].mean(),
        "recall": hits / frauds,
    }
    for measure, value in wanted.items():
        found = recorded.value(f'job:expected:share{window}{{measure="{measure}"}}')
        close(f"expected {measure}", found, value)
    f1 = recorded.value(f"job:expected:f1_score{window}")
    close("expected F1", f1, 2 * hits / (alarm.sum() + frauds))


@pytest.mark.parametrize("window", LABEL_WINDOWS)
def test_gap_to_the_realised(recorded: Recorded, window: str) -> None:
    """The gap, and its error from the labels' and the scores' variances."""
    p, y, alarm = ALL.probability, ALL.truth, ALL.decision == 1
    gap = recorded.value(f'job:expected:gap{window}{{measure="precision"}}')
    close("gap to the realised", gap, y[alarm].mean() - p[alarm].mean())
    for measure, right, among in (
        ("accuracy", np.where(alarm, p, 1 - p), np.ones(len(p), bool)),
        ("precision", p, alarm),
    ):
        chosen = f'{{measure="{measure}"}}'
        at = recorded.moment(f"job:expected:gap_deviation{window}{chosen}")
        seen = recorded.value(
            f'segment:outcomes:trials{window}{{measure="{measure}", segment="all"}}', at
        )
        predicted = recorded.by("class_name", f"class:predictions:increase{window}", at)
        count = predicted["fraud"] + (predicted["legitimate"] if measure == "accuracy" else 0)
        mean, spread = right[among].mean(), right[among].var()
        deviation = recorded.value(f"job:expected:gap_deviation{window}{chosen}", at)
        close(
            "standard error of the gap",
            deviation,
            np.sqrt(mean * (1 - mean) / seen + spread / count),
        )


def test_no_rule_failed(recorded: Recorded) -> None:
    """Many-to-many matches and the like would show here."""
    groups = recorded.prometheus.get("rules")["groups"]
    assert len(groups) > 10
    failed = [(r["name"], r["lastError"]) for g in groups for r in g["rules"] if r.get("lastError")]
    assert failed == []


def test_annotations_are_filled_in(recorded: Recorded) -> None:
    """What fires of its own accord here reads as sentences with numbers."""
    until(lambda: len(recorded.prometheus.get("alerts")["alerts"]) >= 2, 30, "alerts", every=0.2)
    alerts = recorded.prometheus.get("alerts")["alerts"]
    assert {"FeatureDrift", "NoTraffic"} <= {each["labels"]["alertname"] for each in alerts}
    for each in alerts:
        text = " ".join(each["annotations"].values())
        assert "error expanding" not in text and "no value" not in text and "{{" not in text, text
