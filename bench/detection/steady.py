"""The counters of services with steady traffic, drawn interval by interval, in promtool's notation.

Each service is a `job` of its own, with a baseline and a holdout that are samples too. Transactions
are Poisson, their features independent deciles, their scores those of a calibrated model with 3 %
fraud, labelled a day later. The traffic has no hours of day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.stats import beta, norm

from model.serving.outcome_bins import OUTCOME_BOUNDS
from model.serving.vocabulary import CLASS_NAMES, FRAUD, LEGITIMATE
from telemetry.metrics import OUTCOME_BINS

Counts = npt.NDArray[np.float64]
Series = dict[str, str]

# As many rows as the default model has.
FEATURES, BASELINE_ROWS, HOLDOUT_ROWS = 5, 160_000, 40_000
DECILES = tuple(f"{number:02}" for number in range(1, 11))
# 400 scores at the middles of equal shares, alarms for the highest 3 %.
ATOMS = beta.ppf((np.arange(400) + 0.5) / 400, 0.12, 3.88)
ALARM = np.quantile(ATOMS, 0.97) <= ATOMS
DECILE_OF = np.eye(10)[np.arange(400) // 40]
BIN_OF = np.eye(len(OUTCOME_BOUNDS))[np.searchsorted(np.array(OUTCOME_BOUNDS), ATOMS)]
REFUSED = 0.002  # share of the transactions that have a missing value


@dataclass(frozen=True)
class Service:
    """`steps` intervals of `seconds` at `rate` transactions a second.

    From the step `changed` on, the first feature's mean is `shift` standard deviations higher, and
    of the frauds that were predicted so many points of recall are missed (`recall_loss`).
    """

    job: str
    rate: float
    steps: int
    seconds: int
    seed: int
    features: int = FEATURES
    changed: int = 0
    shift: float = 0.0
    recall_loss: float = 0.0
    random: np.random.Generator = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "random", np.random.default_rng(self.seed))

    def inputs(self) -> Series:
        """What FeatureDrift reads."""
        found = self._name_series(self._model())
        for number in range(self.features):
            found |= self._feature(
                f"feature_{number}", self._draw_arrivals(), self.shift * (not number)
            )
        return found

    def outcomes(self) -> Series:
        """What the alerts about scores, decisions and labels read."""
        holdout = self.random.multinomial(HOLDOUT_ROWS, np.full(400, 1 / 400)).astype(float)
        counts = self.random.multinomial(self._draw_arrivals(), np.full(400, 1 / 400))
        frauds = self.random.binomial(counts, ATOMS)
        return (
            self._name_series(self._model())
            | self._name_series(self._holdout(holdout))
            | self._name_series(self._count_predictions(counts.astype(float)))
            | self._name_series(self._count_labelled(counts.astype(float), frauds.astype(float)))
        )

    def labels(self) -> Series:
        """What LiveQualityLow reads, for a study of recall alone; every label comes at once."""
        holdout = self.random.multinomial(HOLDOUT_ROWS, np.full(400, 1 / 400)).astype(float)
        counts = self.random.multinomial(self._draw_arrivals(), np.full(400, 1 / 400))
        frauds = self.random.binomial(counts, ATOMS).astype(float)
        hits = frauds[:, ALARM].sum(1)
        recall = ATOMS[ALARM].sum() / ATOMS.sum()
        missed = self.random.binomial(hits.astype(np.int64), self.recall_loss / recall)
        hits[self.changed :] -= missed[self.changed :]
        alarms, all_frauds = counts[:, ALARM].sum(1), frauds.sum(1)
        false_alarms = alarms - frauds[:, ALARM].sum(1)
        cells = (hits, all_frauds - hits, false_alarms, counts.sum(1) - all_frauds - false_alarms)
        labelled = zip(_outcome_labels(), cells, strict=True)
        return (
            self._name_series(self._model())
            | self._name_series(self._holdout(holdout))
            | self._name_series(
                each for labels, cell in labelled for each in _of_outcome(labels, cell, "10m")
            )
        )

    def _draw_arrivals(self) -> npt.NDArray[np.int64]:
        return self.random.poisson(self.rate * self.seconds, self.steps)

    def _name_series(self, series: Iterable[tuple[str, dict[str, str], Counts | float]]) -> Series:
        found: Series = {}
        for name, labels, values in series:
            of = {"job": self.job, "instance": "host-0", "version_slot": "1"} | labels
            chosen = ", ".join(f'{label}="{value}"' for label, value in of.items())
            found[f"{name}{{{chosen}}}"] = self._format_values(values)
        return found

    def _format_values(self, values: Counts | float) -> str:
        """A gauge, or the counter of these increments."""
        if isinstance(values, float):
            return f"{values!r}x{self.steps}"
        return " ".join(f"{total:.12g}" for total in np.concatenate([[0.0], np.cumsum(values)]))

    def _model(self) -> Iterator[tuple[str, dict[str, str], float]]:
        yield "model_version", {"role": "champion", "version": "1-ab12cd34"}, 1.0
        yield "baseline_rows", {}, float(BASELINE_ROWS)

    def _feature(self, name: str, arriving: npt.NDArray[np.int64], shift: float) -> Series:
        edges = norm.cdf(norm.ppf(np.arange(11) / 10) - shift)
        before, after = arriving[: self.changed], arriving[self.changed :]
        counts = np.concatenate(
            [
                self.random.multinomial(before, np.full(10, 0.1)),
                self.random.multinomial(after, np.diff(edges)),
            ]
        ).astype(float)
        base = self.random.multinomial(BASELINE_ROWS, np.full(10, 0.1)) / BASELINE_ROWS
        found: Series = {}
        for number, bin_name in enumerate(DECILES):
            labels = {"feature": name, "bin": bin_name}
            found |= self._name_series(
                (
                    ("feature_values_total", labels, counts[:, number]),
                    ("feature_baseline_share", labels, float(base[number])),
                )
            )
        return found

    def _holdout(self, rows: Counts) -> Iterator[tuple[str, dict[str, str], float]]:
        """The card's figures on a holdout of these scores."""
        frauds = self.random.binomial(rows.astype(np.int64), ATOMS).astype(float)
        hits, alarms = frauds[ALARM].sum(), rows[ALARM].sum()
        right = HOLDOUT_ROWS - frauds.sum() - alarms + 2 * hits
        figures = {
            "model_accuracy": right / HOLDOUT_ROWS,
            "model_precision": hits / alarms,
            "model_recall": hits / frauds.sum(),
        }
        for name, value in figures.items():
            yield name, {"evaluation": "holdout"}, float(value)
        yield "model_holdout_rows", {}, float(HOLDOUT_ROWS)
        yield "model_holdout_frauds", {}, float(frauds.sum())
        yield "model_holdout_alert_rate", {}, float(alarms / HOLDOUT_ROWS)
        yield "model_holdout_mean_score", {}, float(rows @ ATOMS / HOLDOUT_ROWS)
        for bin_name, share in zip(DECILES, rows @ DECILE_OF / HOLDOUT_ROWS, strict=True):
            yield "score_baseline_share", {"bin": bin_name}, float(share)

    def _count_predictions(self, counts: Counts) -> Iterator[tuple[str, dict[str, str], Counts]]:
        for bin_name, column in zip(DECILES, (counts @ DECILE_OF).T, strict=True):
            yield "score_values_total", {"bin": bin_name}, column
        for class_name, chosen in zip(CLASS_NAMES, (~ALARM, ALARM), strict=True):
            labels, seen, scores = {"class_name": class_name}, counts[:, chosen], ATOMS[chosen]
            yield "champion_decisions_total", labels, seen.sum(1)
            yield "prediction_probability_total", labels, seen @ scores
            yield "prediction_uncertainty_total", labels, seen @ (scores * (1 - scores))
        refused = self.random.poisson(REFUSED * self.rate * self.seconds, self.steps)
        labels = {"feature": "feature_0", "problem": "missing"}
        yield "data_quality_total", labels, refused.astype(float)

    def _count_labelled(
        self, counts: Counts, frauds: Counts
    ) -> Iterator[tuple[str, dict[str, str], Counts]]:
        """Every label, all but a day after its prediction."""
        day = 86_400 // self.seconds

        def delay(values: Counts) -> Counts:
            return np.concatenate([np.zeros((day, *values.shape[1:])), values[:-day]])

        counts, frauds = delay(counts), delay(frauds)
        hits, misses = frauds[:, ALARM].sum(1), frauds[:, ~ALARM].sum(1)
        false_alarms = counts[:, ALARM].sum(1) - hits
        quiet = counts[:, ~ALARM].sum(1) - misses
        for labels, cell in zip(
            _outcome_labels(), (hits, misses, false_alarms, quiet), strict=True
        ):
            yield from _of_outcome(labels, cell, "1d")
        by_bin, frauds_by_bin, given = counts @ BIN_OF, frauds @ BIN_OF, (counts * ATOMS) @ BIN_OF
        for number, bin_name in enumerate(OUTCOME_BINS):
            fraud = frauds_by_bin[:, number]
            yield "outcome_scores_total", {"bin": bin_name, "truth": FRAUD}, fraud
            legitimate = by_bin[:, number] - fraud
            yield "outcome_scores_total", {"bin": bin_name, "truth": LEGITIMATE}, legitimate
            yield "outcome_probability_total", {"bin": bin_name}, given[:, number]


def _of_outcome(
    labels: dict[str, str], cell: Counts, age: str
) -> Iterator[tuple[str, dict[str, str], Counts]]:
    """An outcome by its segment, and by the age at which its label came."""
    yield "outcomes_total", labels, cell
    by_age = {name: labels[name] for name in ("class_name", "truth")} | {"age": age}
    yield "outcome_ages_total", by_age, cell


def _outcome_labels() -> Iterator[dict[str, str]]:
    """Hits, misses, false alarms, and the rest."""
    segment = {"role": "champion", "user_type": "basic", "value_band": "low"}
    for label in reversed(CLASS_NAMES):
        for class_name in reversed(CLASS_NAMES):
            yield segment | {"class_name": class_name, "truth": label}
