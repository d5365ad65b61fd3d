"""The rules' time where the windows are full, measured and computed, in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.scale.sizing.projection import Line, deviation, fit_line
from bench.scale.sizing.rule_cost import Case, RuleCost


@dataclass(frozen=True)
class RuleModel:
    """What the rules take at any number of replicas, once their windows are full.

    `full` is one replica whose windows are full: its samples grow with the replicas and with the
    pushes a minute, exactly. Seconds follow the samples, by the line through what was measured.
    """

    full: RuleCost
    line: Line
    error: float
    """Of the line through all cases but that with most samples, there: as a share of it."""

    def samples(self, replicas: int, interval: float) -> float:
        """That all groups read, evaluated once."""
        return self.full.samples * self._factor(replicas, interval)

    def seconds(self, replicas: int, interval: float) -> float:
        """Of processor time for all groups once."""
        return self.line.at(self.samples(replicas, interval))

    def cores(self, replicas: int, interval: float) -> float:
        """Processors that evaluating each group at its own interval keeps busy."""
        factor = self._factor(replicas, interval)
        return sum(
            self._group_seconds(group.samples * factor) / group.interval
            for group in self.full.groups
        )

    def slowest(self, replicas: int, interval: float) -> tuple[str, float]:
        """The group that takes most of its interval, and how much of it: above 1 it is late."""
        factor = self._factor(replicas, interval)
        shares = {
            group.name: self._group_seconds(group.samples * factor) / group.interval
            for group in self.full.groups
        }
        name = max(shares, key=lambda each: shares[each])
        return name, shares[name]

    def most_replicas(self, interval: float) -> int:
        """With which every group still ends within its interval."""
        low, high = 0, 1
        while self.slowest(high, interval)[1] <= 1:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            fits = self.slowest(middle, interval)[1] <= 1
            low, high = (middle, high) if fits else (low, middle)
        return low

    def _factor(self, replicas: int, interval: float) -> float:
        return replicas / self.full.case.replicas * self.full.case.interval / interval

    def _group_seconds(self, samples: float) -> float:
        return self.line.constant / len(self.full.groups) + self.line.slope * samples


def build_model(costs: Sequence[RuleCost]) -> RuleModel:
    """From at least three cases, the one with the longest history among them for one replica."""
    full = max(costs, key=lambda cost: cost.case.hours)
    points = [(float(cost.samples), cost.seconds) for cost in costs]
    return RuleModel(full, fit_line(points), deviation(points))


def format_cases(costs: Sequence[RuleCost]) -> str:
    """What was measured."""
    lines = [
        "| replicas | history | a push each | samples read by all rules once | processor time"
        " | longest group | bytes a sample in the store |",
        "| ---: | ---: | ---: | ---: | ---: | --- | ---: |",
    ]
    for cost in costs:
        longest = max(cost.groups, key=lambda group: group.seconds)
        lines.append(
            f"| {cost.case.replicas} | {_history(cost.case)} | {cost.case.interval} s"
            f" | {cost.samples:,} | {cost.seconds:.1f} s"
            f" | {longest.name}, {longest.seconds:.1f} s | {cost.bytes_per_sample:.1f} |"
        )
    return "\n".join(lines)


def format_computed(model: RuleModel, sizes: Sequence[int], intervals: Sequence[int]) -> str:
    """What follows for these numbers of replicas with full windows."""
    lines = [
        "| replicas | a push each | samples read by all rules once | processor time"
        " | cores kept busy | slowest group, of its interval |",
        "| ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for size in sizes:
        for interval in intervals:
            name, share = model.slowest(size, interval)
            lines.append(
                f"| {size:,} | {interval} s | {model.samples(size, interval) / 1e6:,.0f} million"
                f" | {model.seconds(size, interval):,.0f} s | {model.cores(size, interval):,.2f}"
                f" | {name}, {share:,.0%} |"
            )
    return "\n".join(lines)


def _history(case: Case) -> str:
    return f"{case.hours / 24:g} d" if case.hours >= 48 else f"{case.hours:g} h"
