"""What the store drill found: figures for the terminal, and docs/store_drill.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from bench.faults.report import Report, write_report
from bench.scale.store_compare import Equality
from bench.scale.store_stage import Stage
from tests.lab.paths import ROOT
from tests.lab.program import Program

PAGE = ROOT / "docs" / "store_drill.md"


@dataclass(frozen=True)
class Usage:
    """Of one program while there was load: processor seconds, None where it was killed meanwhile;
    memory at the end in MiB."""

    name: str
    cpu_seconds: float | None
    memory_mib: float
    pid: int


@dataclass(frozen=True)
class Result:
    """`client` and `held`: predictions and labels, answered with 200 and held by the nodes."""

    client: tuple[int, int]
    unanswered: int
    held: tuple[float, float]
    raw: Equality
    derived: Equality
    recorded: Equality
    usage: Sequence[Usage]

    @property
    def equalities(self) -> dict[str, Equality]:
        """By what was compared."""
        return {
            "expressions over what was written, on the nodes and on Prometheus": self.raw,
            "expressions over what rules recorded, by the nodes and by Prometheus' engine on their"
            " data": self.derived,
            "values that the nodes' rulers recorded, and the expression asked of Prometheus"
            " later": self.recorded,
        }

    @property
    def is_clean(self) -> bool:
        """Nothing was lost, nothing differs, and there was something to compare."""
        every = self.equalities.values()
        equal = all(one.values and one.same == one.values for one in every)
        return equal and self.held == self.client and self.client[0] > 0

    def describe(self) -> str:
        """For the terminal, with the first values that differ."""
        lines = [table.format() for table in self.tables()]
        for one in self.equalities.values():
            lines += one.differing[:5]
        return "\n\n".join(lines)

    def tables(self) -> list[Report]:
        """For the page."""
        counts = [
            (what, f"{answered:,}", f"{held:,.0f}")
            for what, answered, held in zip(
                ("predictions", "labels"), self.client, self.held, strict=True
            )
        ]
        compared = [
            (what, str(one.expressions), f"{one.values:,}", f"{one.same:,}")
            for what, one in self.equalities.items()
        ]
        used = [
            (one.name, _seconds(one.cpu_seconds), f"{one.memory_mib:.0f} MiB") for one in self.usage
        ]
        return [
            Report("Counts", ("", "answered", "held by the nodes"), counts),
            Report("Values", ("compared", "expressions", "values", "identical"), compared),
            Report("What it takes", ("", "processor, s", "memory at the end"), used),
        ]


def measure_usage(stage: Stage, before: Sequence[Usage] = ()) -> list[Usage]:
    """What each store takes; with `before`, its processor time since then."""
    programs: dict[str, Program] = {"Prometheus": stage.reference}
    programs |= {f"Cortex, node {n}": node for n, node in enumerate(stage.cortex.nodes, 1)}
    at = {(one.name, one.pid): one.cpu_seconds or 0.0 for one in before}
    found = []
    for name, program in programs.items():
        assert program.process is not None
        pid = program.process.pid
        times = psutil.Process(pid).cpu_times()
        total = times.user + times.system
        if before:
            since = at.get((name, pid))
            found.append(
                Usage(name, None if since is None else total - since, program.resident_mib(), pid)
            )
        else:
            found.append(Usage(name, total, program.resident_mib(), pid))
    return found


def write_page(result: Result) -> None:
    """The tables, in their places on the page."""
    for table in result.tables():
        write_report(table, PAGE)


def _seconds(value: float | None) -> str:
    return "killed meanwhile" if value is None else f"{value:.1f}"
