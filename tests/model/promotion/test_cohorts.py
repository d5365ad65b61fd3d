"""Matured weeks of predictions: what enters, when, and that label delays then decide nothing."""

from __future__ import annotations

import pytest

from bench.label_delays import PATTERNS, Pattern, measure_pattern, measure_retention
from model.promotion.cohorts import MaturedOutcomes, fetch_matured
from model.promotion.sequential_test import PairedOutcomes
from model.serving.cohorts import WEEK_SECONDS, find_cohort
from tests.model.promotion.stored_samples import StoredSamples

DAY = 86_400.0
WEEK = 2957
BEGAN = float(WEEK * WEEK_SECONDS)
PAIR = ("1-aaaaaaaa", "2-bbbbbbbb")
DECIDED = {"champion": "legitimate", "challenger": "fraud"}


def store_weeks(weeks: int, fraud_days: float, legitimate_days: float) -> StoredSamples:
    """A prediction an hour that the challenger alone alarms, every fourth one a fraud, and their
    labels after so many days."""
    events = []
    for hour in range(weeks * 7 * 24):
        made = BEGAN + hour * 3600 + 60
        label = "fraud" if hour % 4 == 0 else "legitimate"
        delay = fraud_days if hour % 4 == 0 else legitimate_days
        cohort = find_cohort(made)
        events.append((made, "paired_predictions_total", {"cohort": cohort}))
        known = made + delay * DAY + 30
        events.append((known, "paired_cohort_outcomes_total", {"cohort": cohort, "truth": label}))
    store, counts = StoredSamples(), dict[str, int]()
    store.push_pair(BEGAN + 1, *PAIR)
    for moment, name, labels in sorted(events, key=lambda one: one[0]):
        key = f"{name}{labels}"
        counts[key] = counts.get(key, 0) + 1
        store.push_pair(moment, *PAIR)
        store.push(moment, name, counts[key], **DECIDED, **labels)
    return store


def fetch(store: StoredSamples, days: float, start: float = BEGAN) -> MaturedOutcomes:
    return fetch_matured(store, "fraud-handler", PAIR, start, BEGAN + days * DAY, 30 * DAY)


@pytest.mark.parametrize(
    ("days", "weeks", "next_week"),
    [(2, 0, 1), (36.9, 0, 1), (37, 1, 2), (43.9, 1, 2), (44, 2, 3), (120, 10, None)],
)
def test_week_enters_whole_when_its_end_is_as_old_as_the_maturity(
    days: float, weeks: int, next_week: int | None
) -> None:
    """Slots are used again after eight weeks, and the weeks are told apart."""
    found = fetch(store_weeks(10, fraud_days=2, legitimate_days=30), days)
    assert found.weeks == weeks
    assert found.compare("left-out") == PairedOutcomes(
        frauds_better=weeks * 7 * 6, alarms_worse=weeks * 7 * 18
    )
    expected = None if next_week is None else BEGAN + (7 * next_week + 30) * DAY
    assert found.next_at == expected


def test_label_after_maturity_never_enters() -> None:
    """A label of the week's first prediction may take a week longer than that of its last."""
    store = store_weeks(3, fraud_days=2, legitimate_days=38)
    found = fetch(store, 120)
    assert found.compare("left-out") == PairedOutcomes(frauds_better=3 * 42)
    assert found.compare("legitimate") == PairedOutcomes(frauds_better=126, alarms_worse=3 * 126)


def test_week_of_the_start_counts_only_where_the_pair_was_not_loaded_before() -> None:
    store = store_weeks(3, fraud_days=2, legitimate_days=3)
    assert fetch(store, 120, start=BEGAN).weeks == 3
    assert fetch(store, 120, start=BEGAN + 2 * DAY).weeks == 2


def make_matured(champion: float, challenger: float, alike: float) -> MaturedOutcomes:
    """Shares labelled of 1,000, 1,000 and 100,000 predictions."""
    a, b = "fraud", "legitimate"
    return MaturedOutcomes(
        {(a, b): 1000.0, (b, a): 1000.0, (b, b): 100_000.0},
        {(a, b, a): 1000 * champion, (b, a, b): 1000 * challenger, (b, b, b): 1e5 * alike},
    )


@pytest.mark.parametrize(
    ("matured", "says"),
    [
        (make_matured(1, 1, 1), None),
        (make_matured(0.5, 0.5, 0.5), None),
        (make_matured(0.51, 0.49, 0.5), None),
        (make_matured(1, 1, 0.995), None),
        (make_matured(0.9, 0.6, 0.6), "labelled are 60.0% of the predictions that the champion"),
        (make_matured(1, 1, 0), "calls legitimate and the challenger legitimate, and 100.0% of"),
        (MaturedOutcomes({}, {}), None),
    ],
    ids=["all", "half of each", "chance", "immaterial", "one cell more", "alarms only", "nothing"],
)  # fmt: skip
def test_unequal_coverage_is_one_sentence(matured: MaturedOutcomes, says: str | None) -> None:
    found = matured.find_unequal_coverage()
    assert (found is None) if says is None else (found is not None and says in found)


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda one: one.name)
def test_late_labels_promote_no_challenger_without_a_gain(pattern: Pattern) -> None:
    """A year of daily looks; bench.label_delays has the figures of 200 runs."""
    _, matured = measure_pattern(pattern, runs=3, seed=7)
    assert matured == 0


def test_frauds_that_come_first_promoted_when_labels_counted_as_they_came() -> None:
    """The example that the weeks are for: by arrival every run is promoted."""
    [pattern] = [one for one in PATTERNS if one.name.startswith("frauds after 2 days")]
    assert measure_pattern(pattern, runs=3, seed=7) == (1, 0)


def test_window_that_moves_promotes_where_the_refusal_does_not() -> None:
    """15 days of retention, daily looks in a year; more runs are in bench/README.md."""
    moving, refused = measure_retention(runs=30, seed=7)
    assert refused <= 0.05 < moving
