"""slo.yml, checked when read."""

from __future__ import annotations

from pathlib import Path

import msgspec

FILE = Path(__file__).resolve().parents[1] / "slo.yml"


class Objective(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One promise: of events (with errors or good), or of minutes (events_now, bad_now).

    `caused_by`, `scenarios` and `may_follow` are those of its alert, as rule.Alert has them.
    """

    name: str
    what: str
    objective: float
    events: str = ""
    errors: str = ""
    good: str = ""
    events_now: str = ""
    bad_now: str = ""
    caused_by: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    may_follow: tuple[str, ...] = ()

    @property
    def budget(self) -> float:
        """Share of the events that may be errors."""
        return round(1 - self.objective, 9)

    @property
    def alert(self) -> str:
        """Name of its alerts and runbook."""
        return f"{self.name.title()}BudgetBurn"


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
