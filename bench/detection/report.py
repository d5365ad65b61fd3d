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

## Does the panel show it?

Each message leads to a panel. Behind each alert: when it was sent, and since when its panel was not
green, in minutes of the fault; the panel's own queries, asked afterwards. `late`: it was green when
the message came.

| scenario | alert: sent, panel not green since |
| --- | --- |
{panels}

{steady}

## How it is measured

The rules' clock runs {scale} times as fast. All windows, intervals and
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
        panels="\n".join(render_panels(results)),
        steady=_describe_restless(results),
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
    late = sum(len(result.late_panels) for result in results)
    return (
        f"{len(results)} scenarios: {sum(r.passed for r in results)} as they should be,"
        f" {missed} expected alerts missed, {false} false alarms, {late} panels later than their"
        " alert."
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


def render_panels(results: Sequence[Result]) -> Iterator[str]:
    """One line for each drill in which something was sent."""
    for result in results:
        told = [
            f"{name}: {_minutes(result.fired[name])}, {'late' if left is None else _minutes(left)}"
            for name, left in result.left_green.items()
        ]
        if told:
            yield f"| `{result.drill.name}` | {'<br>'.join(told)} |"


def _describe_restless(results: Sequence[Result]) -> str:
    """What the panels did while nothing was wrong."""
    names = [name for result in results for name in result.restless]
    if names:
        listed = ", ".join(names)
        return f"In `steady` the panels of these alerts were not green for a while: {listed}."
    return "In `steady` none of the panels left green."


def _list_times(result: Result, names: Sequence[str]) -> str:
    return "<br>".join(
        f"{name} {_minutes(result.fired[name])}, {_minutes(result.resolved.get(name))}"
        for name in names
    )


def _minutes(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
