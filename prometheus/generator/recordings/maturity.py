"""Whether the labels of a version can be judged yet: its statistics of outcomes, and its alerts.

Labels count when they come. Those of alarms often come within hours, those of missed frauds weeks
later; so soon after a rollout a new version has the quick ones alone, which flatter its recall, and
one that was replaced has the slow ones alone. Neither is judged:

    band     the age of a prediction when its label came (telemetry.metrics.AGE_BANDS)
    share    how much of the labels of a class the job gets in a band, of all versions, whose labels
             still come: so the slow ones are there when a new version has none of them yet
    unseen   the sum of the shares of those bands that a version has not completed

A band is complete for a version that has been served for the band's bound and the window, or four
times the bound if that is less: then at most a quarter of its labels is missing, an eighth if they
come evenly. A version is judged while it is served and `unseen` is not above the limit.

What remains: where the job is new its slow labels are not known to come, and the first weeks
flatter; labels that never come are no matter of time, see verification.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.durations import Durations, parse_duration
from prometheus.generator.promql import (
    LABELLED_FRAUD,
    OF_CHAMPION,
    PREDICTED_FRAUD,
    VERSION,
    sum_increase,
)
from prometheus.generator.recordings.baseline import versions_seen
from prometheus.generator.rule import Record
from prometheus.generator.thresholds import Thresholds
from telemetry.metrics import AGE_BANDS

SINCE = "job:model_version:since"
SHARES = "7d"  # the window of the labels' ages
AGES = f"age:outcome_ages:share{SHARES}"
_LATELY = "15m"  # a window of the drift: what was seen in it is served
_SILENCE = "7d"  # so long a version is remembered that has nothing to answer
_TIMES = 4  # a band is complete after so many times its bound
_LATEST = 60 * 86_400.0  # labels are taken no later, unless RECEIPT_DAYS is set otherwise


def judged(window: str) -> str:
    """Name of the series of the versions whose labels are judged; with the label `version`."""
    return f"job:model_version:judged{window}"


def record_ages(durations: Durations) -> Iterator[Record]:
    """Since when each version is served, and the share of the labels in each band of age."""
    by, model = f"{VERSION}, version", f"model_version{{{OF_CHAMPION}}}"
    now, remembered = (
        f"max by ({by}) (last_over_time({model}[{span}]))"
        for span in (durations(_LATELY), durations(_SILENCE))
    )
    before = f"last_over_time({SINCE}[{durations(_SILENCE)}]) and on ({by}) {remembered}"
    # As it was recorded before; of a version that is new, now.
    yield Record(SINCE, f"{before}\nor {now} * 0 + time()")
    # Of each class the labels in a band, as a share of all; the higher of both classes.
    labels = sum_increase("outcome_ages_total", durations(SHARES), "job, truth, age")
    total = sum_increase("outcome_ages_total", durations(SHARES), "job, truth")
    shares = f"{labels}\n/ on (job, truth) group_left () ({total} > 0)"
    yield Record(AGES, f"max by (job, age) (\n{shares}\n)")


def record_quality_by_age(durations: Durations) -> Iterator[Record]:
    """Recall and precision of a version by the age at which the labels came."""
    hits = f"{PREDICTED_FRAUD}, {LABELLED_FRAUD}"
    by = f"{VERSION}, age"
    for measure, whole in (("recall", LABELLED_FRAUD), ("precision", PREDICTED_FRAUD)):
        part, all_of = (
            sum_increase(f"outcome_ages_total{{{chosen}}}", durations(SHARES), by)
            for chosen in (hits, whole)
        )
        yield Record(f"age:outcome_ages:{measure}{SHARES}", f"{part} / ({all_of} > 0)")


def record_judged(window: str, durations: Durations, limits: Thresholds) -> Iterator[Record]:
    """The share of the labels that a version cannot have yet, and the versions that are judged."""
    unseen = f"job:model_version:unseen{window}"
    bands = (_find_unseen(band, window, durations) for band in AGE_BANDS)
    yield Record(unseen, f"sum by ({VERSION}, version) (\n" + "\nor ".join(bands) + "\n)")
    # Of those that the window has seen: served now, or the last one of a job that is silent.
    versions, now = versions_seen(window), versions_seen(_LATELY)
    served = f"({versions} and on ({VERSION}) {now}\nor {versions} unless on (job) {now})"
    enough = f"({unseen} <= {limits.quality.unseen:g})"
    yield Record(judged(window), f"{served}\nand on ({VERSION}, version) {enough}")


def _find_unseen(band: str, window: str, durations: Durations) -> str:
    """The band's share for each version that has not completed it, else 0."""
    seconds = complete_after(band, window) / durations.scale
    young = f"(time() - {SINCE} < bool {seconds:.0f})"
    share = f'{AGES}{{age="{band}"}}'
    return f'label_replace({young} * on (job) group_left () {share}, "age", "{band}", "", "")'


def complete_after(band: str, window: str) -> float:
    """Seconds after which a version has the labels of a band in a window."""
    bound = min(AGE_BANDS[band], _LATEST)
    return min(bound + parse_duration(window), _TIMES * bound)
