"""Champion against challenger: how often they disagree, who is right then, and the traffic's split.

The comparison is paired: only outcomes on which exactly one was right tell them apart. With b of
them for the champion and c for the challenger among n, the gain in accuracy is (c - b) / n with
variance (b + c - (c - b)^2 / n) / n^2 (Q. McNemar's setting, 1947). The interval is for looking
at; `python -m model promote --if-better` does the test that allows repeated looks.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.durations import Clock
from prometheus.generator.rule import Group, Record, RuleFile
from prometheus.generator.thresholds import Thresholds
from prometheus.generator.wilson import Z95, low

DECISIONS, OUTCOMES = "24h", "7d"


def challenger_file(clock: Clock, limits: Thresholds) -> RuleFile:
    """rules/challenger.yml"""
    rules = (*_decisions(clock, limits), *_outcomes(clock), *_split(clock))
    about = "Champion against challenger; formulas: generator/recordings/challenger.py"
    return RuleFile("challenger.yml", about, (Group("challenger", clock("4m"), rules),))


def _decisions(clock: Clock, limits: Thresholds) -> Iterator[Record]:
    name, total = f"challenger:decisions:increase{DECISIONS}", f"job:challenger:count{DECISIONS}"
    apart = f"job:challenger:disagreements{DECISIONS}"
    increase = f"increase(challenger_decisions_total[{clock(DECISIONS)}])"
    yield Record(name, f"sum by (job, champion, challenger) ({increase})")
    yield Record(total, f"sum by (job) ({name}) > 0")
    one_way = f'{name}{{champion="fraud", challenger="legitimate"}}'
    other_way = f'{name}{{champion="legitimate", challenger="fraud"}}'
    yield Record(apart, f"sum by (job) ({one_way} or {other_way}) or 0 * {total}")
    yield Record(f"job:challenger:disagreement{DECISIONS}", f"{apart} / {total}")
    bound = low(apart, total, limits.challenger.sigmas)
    yield Record(f"job:challenger:disagreement_low{DECISIONS}", bound)


def _outcomes(clock: Clock) -> Iterator[Record]:
    name, gain = f"challenger:outcomes:increase{OUTCOMES}", f"job:challenger:gain{OUTCOMES}"
    increase = f"increase(paired_outcomes_total[{clock(OUTCOMES)}])"
    yield Record(name, f"sum by (job, champion, challenger, truth) ({increase})")
    total = f"(sum by (job) ({name}) > 0)"

    def only_right(who: str, other: str) -> str:
        cells = (
            f'{name}{{{who}="fraud", {other}="legitimate", truth="fraud"}}',
            f'{name}{{{who}="legitimate", {other}="fraud", truth="legitimate"}}',
        )
        return f"(sum by (job) ({cells[0]} or {cells[1]}) or 0 * {total})"

    better, worse = only_right("challenger", "champion"), only_right("champion", "challenger")
    yield Record(gain, f"({better} - {worse}) / {total}")
    deviation = f"job:challenger:gain_deviation{OUTCOMES}"
    yield Record(
        deviation, f"sqrt(clamp_min(({better} + {worse}) / {total} - {gain} ^ 2, 0) / {total})"
    )
    yield Record(f"job:challenger:gain_low{OUTCOMES}", f"{gain} - {Z95} * {deviation}")
    yield Record(f"job:challenger:gain_high{OUTCOMES}", f"{gain} + {Z95} * {deviation}")


def _split(clock: Clock) -> Iterator[Record]:
    served = f"role:served:increase{DECISIONS}"
    target = f"max by (job) (last_over_time(challenger_share_target[{clock(DECISIONS)}]))"
    yield Record(served, f"sum by (job, role) (increase(served_total[{clock(DECISIONS)}]))")
    total = f"(sum by (job) ({served}) > 0)"
    yield Record(
        f"job:challenger:share{DECISIONS}",
        f'(sum by (job) ({served}{{role="challenger"}}) or 0 * {total}) / {total}',
    )
    yield Record("job:challenger_share_target:last", target)
    goal = "job:challenger_share_target:last"
    # Neither of the ends has a variance: there any other share is a mismatch by itself.
    yield Record(
        f"job:challenger:share_deviation{DECISIONS}", f"sqrt({goal} * (1 - {goal}) / {total})"
    )
