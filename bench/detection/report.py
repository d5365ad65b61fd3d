"""docs/detection.md: what the drills found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.detection.run import SEED, Result

HEAD = """\
# What is detected, and how soon

Written by `make drill`: every scenario with its known fault, against the real handler, Collector,
Prometheus and Alertmanager. What counts is the message that arrives at Alertmanager's webhook.

{verdict}

| scenario | what is done | had to fire | also fired | missed | false alarms |
| --- | --- | --- | --- | --- | --- |
"""

NOTES = """
Behind each alert: after how many minutes of the fault it was sent, and how many minutes after the
fault's end its end was; `-`: not within the {afterwards:.0f} minutes that the drill
waited, because the fault is still in the alert's window of an hour, a day or a week.
*Also fired*: other consequences of the same fault. A *false alarm* is any alert before the fault,
or one that is no consequence of it.

How it is measured: the rules' clock runs {scale} times as fast. All windows, intervals and
waits are divided by {scale}, and a minute takes {second:g} s. Handlers push once a second, which
relative to the windows is slower than in real time; real delays are not longer for that.
Two workers, the default model of `python -m model train`, labels {labels:.0f} minutes after the
prediction. The traffic is {rate:g} requests in each second of the test, {each:.0f} in each minute
of the rules' clock, as a service with {real:.1f} requests/s has ({slow:g} in each second in
`late-labels`). Seed {seed}, one run of each scenario, {date}.
"""


@dataclass(frozen=True)
class Conditions:
    """How the drills were run."""

    scale: int
    date: str


def render(results: Sequence[Result], conditions: Conditions) -> str:
    """The whole page."""
    usual, second = results[0].drill, 60 / conditions.scale
    notes = NOTES.format(
        scale=conditions.scale,
        second=second,
        afterwards=usual.afterwards,
        labels=usual.label_delay,
        rate=usual.rate,
        each=usual.rate * second,
        real=usual.rate / conditions.scale,
        slow=min(result.drill.rate for result in results),
        seed=SEED,
        date=conditions.date,
    )
    return HEAD.format(verdict=summarise(results)) + "\n".join(render_rows(results)) + "\n" + notes


def summarise(results: Sequence[Result]) -> str:
    """One sentence over all drills."""
    missed = sum(len(result.missed) for result in results)
    false = sum(len(result.false_alarms) for result in results)
    return (
        f"{len(results)} scenarios: {sum(r.passed for r in results)} as they should be,"
        f" {missed} expected alerts missed, {false} false alarms."
    )


def render_rows(results: Sequence[Result]) -> Iterator[str]:
    """One line of the table for each drill."""
    for result in results:
        fired = sorted(result.fired, key=lambda name: result.fired[name])
        cells = (
            f"`{result.drill.name}`",
            result.drill.what,
            _list_times(result, [name for name in fired if name in result.drill.must]) or "nothing",
            _list_times(result, [name for name in fired if name in result.drill.may]),
            ", ".join(result.missed),
            _list_times(result, result.false_alarms),
        )
        yield "| " + " | ".join(cell or "-" for cell in cells) + " |"


def _list_times(result: Result, names: Sequence[str]) -> str:
    return "<br>".join(
        f"{name} {_minutes(result.fired[name])}, {_minutes(result.resolved.get(name))}"
        for name in names
    )


def _minutes(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
