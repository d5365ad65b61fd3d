"""Budget series and burn-rate alerts from slo.yml.

Events and errors are recorded as their increase over five minutes, each minute; the ratio of a
longer window is the ratio of their sums, so that busy hours count more than quiet ones. Errors
are 0, not absent, while no error series exists.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from prometheus.generator.durations import Clock, seconds
from prometheus.generator.rule import Alert, Group, Record, RuleFile

FILE = Path(__file__).resolve().parents[1] / "slo.yml"
STEP, BASE = "1m", "5m"
EVENTS, ERRORS = "slo:events:increase5m", "slo:errors:increase5m"


class Objective(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One promise: of events (with errors or good), or of minutes (events_now, bad_now)."""

    name: str
    what: str
    objective: float
    events: str = ""
    errors: str = ""
    good: str = ""
    events_now: str = ""
    bad_now: str = ""

    @property
    def budget(self) -> float:
        """Share of the events that may be errors."""
        return round(1 - self.objective, 9)

    @property
    def alert(self) -> str:
        """Name of its alerts and runbook."""
        return f"{self.name.title()}BudgetBurn"

    @property
    def overlap(self) -> int:
        """How often one error is in the sums: each event is in the increase of five minutes."""
        return 1 if self.bad_now else seconds(BASE) // seconds(STEP)


class Burn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pair of windows and the burn rate at which both raise the alert."""

    severity: str
    long: str
    short: str
    factor: float


class Slo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """slo.yml."""

    period: str
    objectives: tuple[Objective, ...]
    minimum_errors: float
    burn: tuple[Burn, ...]


def read_slo(path: Path = FILE) -> Slo:
    """The promises; ValueError names what is wrong."""
    try:
        slo = msgspec.yaml.decode(path.read_bytes(), type=Slo)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise ValueError(f"{path.name}: {error}") from None
    for objective in slo.objectives:
        _check(objective, path.name)
    return slo


def _check(objective: Objective, file: str) -> None:
    if not 0 < objective.objective < 1:
        raise ValueError(
            f"{file}: objective of {objective.name} must be between 0 and 1, "
            f"got {objective.objective:g}"
        )
    of_events = bool(objective.events) and bool(objective.errors) != bool(objective.good)
    of_minutes = bool(objective.events_now) and bool(objective.bad_now)
    if of_events == of_minutes:
        raise ValueError(
            f"{file}: {objective.name} must have events with errors or good, "
            "or events_now with bad_now"
        )


def slo_file(clock: Clock, slo: Slo) -> RuleFile:
    """rules/slo.yml"""
    events = tuple(rule for each in slo.objectives for rule in _events(each, clock))
    return RuleFile(
        "slo.yml",
        "Error ratios, budgets and burn-rate alerts; promises: prometheus/slo.yml",
        (
            Group("slo_events", clock(STEP), events),
            Group("slo_ratios", clock(STEP), tuple(_ratios(slo, clock))),
            Group("slo_alerts", clock(STEP), tuple(_alerts(slo, clock))),
        ),
    )


def _events(of: Objective, clock: Clock) -> Iterator[Record]:
    label = {"slo": of.name}
    if of.bad_now:
        yield Record(EVENTS, of.events_now, label)
        yield Record(ERRORS, of.bad_now.replace("[2m]", f"[{clock('2m')}]"), label)
    else:

        def increase(selector: str) -> str:
            return f"sum by (job) (increase({selector}[{clock(BASE)}]))"

        events = increase(of.events)
        yield Record(EVENTS, events, label)
        if of.errors:
            yield Record(ERRORS, f"{increase(of.errors)} or 0 * {events}", label)
        else:
            good = f"({increase(of.good)} or 0 * {events})"
            yield Record(ERRORS, f"clamp_min({events} - {good}, 0)", label)
    yield Record("slo:budget:ratio", f"vector({of.budget:g})", label)


def _ratios(slo: Slo, clock: Clock) -> Iterator[Record]:
    windows = {each for burn in slo.burn for each in (burn.long, burn.short)}
    for window in sorted(windows, key=seconds):
        yield Record(f"slo:error_ratio:{window}", _ratio(window, clock))
    yield Record(
        f"slo:budget_left:{slo.period}",
        f"1 - ({_ratio(slo.period, clock)}) / on (slo) group_left () slo:budget:ratio",
    )


def _ratio(window: str, clock: Clock) -> str:
    if window == BASE:
        return f"{ERRORS} / ({EVENTS} > 0)"
    span = clock(window)
    return f"sum_over_time({ERRORS}[{span}]) / (sum_over_time({EVENTS}[{span}]) > 0)"


def _alerts(slo: Slo, clock: Clock) -> Iterator[Alert]:
    for objective in slo.objectives:
        for severity in ("page", "ticket"):
            pairs = [burn for burn in slo.burn if burn.severity == severity]
            if pairs:
                yield Alert(
                    objective.alert,
                    severity,
                    "\nor\n".join(_burning(objective, burn, slo, clock) for burn in pairs),
                    "0s",
                    f"The error budget of {objective.name} burns too fast.",
                    f"{{{{ $value | humanizePercentage }}}} of the events are errors, "
                    f"{objective.budget:.2%} may be over {slo.period}.",
                )


def _burning(of: Objective, burn: Burn, slo: Slo, clock: Clock) -> str:
    chosen, limit = f'{{slo="{of.name}"}}', f"{burn.factor * of.budget:g}"
    enough = slo.minimum_errors * of.overlap
    return (
        f"(slo:error_ratio:{burn.long}{chosen} > {limit}"
        f" and slo:error_ratio:{burn.short}{chosen} > {limit}"
        f" and sum_over_time({ERRORS}{chosen}[{clock(burn.long)}]) >= {enough:g})"
    )
