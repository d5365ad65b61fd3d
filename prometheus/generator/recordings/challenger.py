"""Champion against challenger: how often they disagree, who is right then, and the traffic's split.

The comparison is paired: only outcomes on which exactly one was right tell them apart. With b of
them for the champion and c for the challenger among n, the gain in accuracy is (c - b) / n with
variance (b + c - (c - b)^2 / n) / n^2 (Q. McNemar's setting, 1947). The interval is for looking
at; `python -m model promote --if-better` does the test that allows repeated looks.
"""

from __future__ import annotations

from collections.abc import Iterator

from model.serving.vocabulary import FRAUD, LEGITIMATE
from prometheus.generator.durations import Durations
from prometheus.generator.promql import (
    CHALLENGER,
    CHAMPION,
    LABELLED_FRAUD,
    LABELLED_LEGITIMATE,
    sum_increase,
)
from prometheus.generator.recordings.wilson import Z95, wilson_low
from prometheus.generator.rule import Group, Record
from prometheus.generator.thresholds import Thresholds
from telemetry.metrics import SPLIT_BUCKETS

DECISIONS, OUTCOMES = "24h", "7d"
SHARE_OF_OWN = f"job:challenger:share_of_own{DECISIONS}"
SHARE_EXPECTED = f"job:challenger:share_expected{DECISIONS}"


def record_challenger(durations: Durations, limits: Thresholds) -> tuple[Group]:
    """The comparison of two models, in one group."""
    rules = (
        *_record_decisions(durations, limits),
        *_record_outcomes(durations),
        *_record_split(durations),
    )
    return (Group("challenger", durations("4m"), rules),)


def _select_fraud_by(who: str, other: str) -> str:
    """Matchers of the decisions where only `who` says fraud."""
    return f'{who}="{FRAUD}", {other}="{LEGITIMATE}"'


def _record_decisions(durations: Durations, limits: Thresholds) -> Iterator[Record]:
    name, total = f"challenger:decisions:increase{DECISIONS}", f"job:challenger:count{DECISIONS}"
    apart = f"job:challenger:disagreements{DECISIONS}"
    # Transactions that both models scored, by their two decisions, and all of them.
    by = f"job, {CHAMPION}, {CHALLENGER}"
    yield Record(name, sum_increase("challenger_decisions_total", durations(DECISIONS), by))
    yield Record(total, f"sum by (job) ({name}) > 0")
    # Those on which the two decide differently; 0 where none.
    one_way = f"{name}{{{_select_fraud_by(CHAMPION, CHALLENGER)}}}"
    other_way = f'{name}{{{CHAMPION}="{LEGITIMATE}", {CHALLENGER}="{FRAUD}"}}'
    yield Record(apart, f"sum by (job) ({one_way} or {other_way}) or 0 * {total}")
    # Their share of all, and its lower bound.
    yield Record(f"job:challenger:disagreement{DECISIONS}", f"{apart} / {total}")
    bound = wilson_low(apart, total, limits.challenger.sigmas)
    yield Record(f"job:challenger:disagreement_low{DECISIONS}", bound)


def _record_outcomes(durations: Durations) -> Iterator[Record]:
    name, gain = f"challenger:outcomes:increase{OUTCOMES}", f"job:challenger:gain{OUTCOMES}"
    # Labelled transactions that both models scored, by their decisions and the true class.
    by = f"job, {CHAMPION}, {CHALLENGER}, truth"
    yield Record(name, sum_increase("paired_outcomes_total", durations(OUTCOMES), by))
    total = f"(sum by (job) ({name}) > 0)"

    def only_right(who: str, other: str) -> str:
        frauds = f"{name}{{{_select_fraud_by(who, other)}, {LABELLED_FRAUD}}}"
        quiet = f'{name}{{{who}="{LEGITIMATE}", {other}="{FRAUD}", {LABELLED_LEGITIMATE}}}'
        return f"(sum by (job) ({frauds} or {quiet}) or 0 * {total})"

    better, worse = only_right(CHALLENGER, CHAMPION), only_right(CHAMPION, CHALLENGER)
    # The challenger's accuracy less the champion's, its standard error and its 95 % interval.
    yield Record(gain, f"({better} - {worse}) / {total}")
    deviation = f"job:challenger:gain_deviation{OUTCOMES}"
    yield Record(
        deviation, f"sqrt(clamp_min(({better} + {worse}) / {total} - {gain} ^ 2, 0) / {total})"
    )
    yield Record(f"job:challenger:gain_low{OUTCOMES}", f"{gain} - {Z95} * {deviation}")
    yield Record(f"job:challenger:gain_high{OUTCOMES}", f"{gain} + {Z95} * {deviation}")


def _record_split(durations: Durations) -> Iterator[Record]:
    """The challenger's share of the transactions that were divided, against what was set.

    Keys are divided, not transactions: with n_k of key k among N, each given to the challenger
    with probability p, its share has the variance p (1 - p) sum(n_k^2) / N^2. The sum is estimated
    from the counts n_b of B buckets, each a random part of the keys: B / (B - 1) times the sum of
    their squared distances from N / B (Alon, Matias and Szegedy 1999, 'The space complexity of
    approximating the frequency moments'). It is N at least, each key having one transaction.
    """
    span, of_window = durations(DECISIONS), f"increase{DECISIONS}"
    served, expected = f"role:served:{of_window}", f"role:expected_served:{of_window}"
    # Transactions by the model that answered, and as the set shares divide them. The second counts
    # only while there is a split, so what came before it is no part of the comparison.
    yield Record(served, sum_increase("served_total", span, "job, role"))
    yield Record(expected, sum_increase("expected_served_total", span, "job, role"))
    total = f"(sum by (job) ({expected}) > 0)"
    # The share that the challenger answered, 0 where it answered none, and the share that was set.
    answered = f'sum by (job) ({served}{{role="{CHALLENGER}"}}) or 0 * {total}'
    yield Record(f"job:challenger:share{DECISIONS}", f"({answered}) / {total}")
    yield Record(SHARE_EXPECTED, f'sum by (job) ({expected}{{role="{CHALLENGER}"}}) / {total}')
    # Transactions by bucket of keys, and sum(n_k^2) / N^2: 1 over the number of equally busy keys.
    divided, concentration = f"role_bucket:split:{of_window}", f"job:split:concentration{DECISIONS}"
    yield Record(divided, sum_increase("split_transactions_total", span, "job, role, bucket"))
    buckets, count = f"sum by (job, bucket) ({divided})", len(SPLIT_BUCKETS)
    yield Record(
        concentration,
        f"{count} / {count - 1} * (sum by (job) ({buckets} ^ 2)"
        f" / (sum by (job) ({divided}) > 0) ^ 2 - 1 / {count})",
    )
    # Of the transactions with a key of the challenger's, the share that it answered.
    own = f'(sum by (job) ({divided}{{role="{CHALLENGER}"}}) > 0)'
    yield Record(SHARE_OF_OWN, f"({answered}) / {own}")
    # The share's standard error. Neither of the ends has a variance: there any other share is a
    # mismatch by itself.
    variance = f"{SHARE_EXPECTED} * (1 - {SHARE_EXPECTED})"
    least = f"({concentration} > 1 / {total} or 1 / {total})"
    yield Record(f"job:challenger:share_deviation{DECISIONS}", f"sqrt({variance} * {least})")
