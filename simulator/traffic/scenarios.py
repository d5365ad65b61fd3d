"""What can happen to the traffic, from when to when, and which alerts belong to it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import zip_longest
from textwrap import wrap
from typing import Final

from simulator.traffic.expected_alerts import MAY_FIRE, MUST_FIRE

STEADY: Final = "steady"
DRIFT: Final = "drift"
CONCEPT: Final = "concept"
FRAUD_BURST: Final = "fraud-burst"
BAD_DATA: Final = "bad-data"
SLOW: Final = "slow"
ERRORS: Final = "errors"
OUTAGE: Final = "outage"
LATE_LABELS: Final = "late-labels"

# What kind of request asks the target to misbehave.
ASKED_SLOW: Final = "asked_slow"
ASKED_ERROR: Final = "asked_error"

# Shares of the requests of the scenario; one in BURST_EVERY belongs to the burst.
BURST_EVERY: Final = 10
BAD_SHARE: Final = 0.3
FAULT_SHARE: Final = 0.2
SLOW_SECONDS: Final = 0.4
# For models whose process is not known: as many truths are those of another request.
CONCEPT_SHARE: Final = 0.7


@dataclass(frozen=True)
class Scenario:
    """One line of `--help`: what is sent, and the alerts that must or may follow."""

    name: str
    does: str

    @property
    def alerts(self) -> str:
        """The names of the alerts, in words."""
        must, may = MUST_FIRE.get(self.name, ()), MAY_FIRE.get(self.name, ())
        followed = f"; perhaps {', '.join(may)}" if may else ""
        return f"{', '.join(must) or 'none'}{followed}"


SCENARIOS: Final = (
    Scenario(STEADY, "as in training"),
    Scenario(
        DRIFT,
        "default model: amounts times 1.6, riskier places; others: the two most important"
        " features rise, to the larger of two draws by rank",
    ),
    Scenario(
        CONCEPT,
        "the same transactions, other frauds; default model: another formula, others:"
        " 70 % of the truths are drawn with another request's probability",
    ),
    Scenario(
        FRAUD_BURST,
        "every tenth request; default model: risky place, many transactions before; others:"
        " one of 20 that the model scores high, searched by 500 questions before the start",
    ),
    Scenario(
        BAD_DATA,
        "30 % of the requests have a fault in one of the two most important features",
    ),
    Scenario(
        SLOW,
        "20 % of the requests ask for a delay of 400 ms; needs the service's FAULT_HEADERS=on",
    ),
    Scenario(
        ERRORS,
        "20 % of the requests ask for a failure; needs the service's FAULT_HEADERS=on",
    ),
    Scenario(
        OUTAGE,
        "no request at all, as when the customers are cut off; a dead service is another thing",
    ),
    Scenario(
        LATE_LABELS,
        "no label is sent; those that fell due come when it ends",
    ),
)
NAMES: Final = tuple(scenario.name for scenario in SCENARIOS)


@dataclass(frozen=True)
class Course:
    """`scenario` from `after` seconds on for `lasts` seconds (None: to the end), else steady."""

    scenario: str = STEADY
    after: float = 0.0
    lasts: float | None = None

    @property
    def end(self) -> float:
        """When it is steady again, in seconds after the start; infinite where never."""
        return math.inf if self.lasts is None else self.after + self.lasts

    def at(self, seconds: float) -> str:
        """The scenario that holds so long after the start."""
        return self.scenario if self.after <= seconds < self.end else STEADY

    def label_due(self, seconds: float) -> float:
        """When a label is sent that is known so long after the start."""
        return self.end if self.at(seconds) == LATE_LABELS else seconds


ALWAYS_STEADY: Final = Course()


def described() -> str:
    """The table of the scenarios for `--help`."""
    lines = []
    for scenario in SCENARIOS:
        told = [*wrap(scenario.does, 83), *wrap(f"alerts: {scenario.alerts}", 83)]
        lines += [
            f"  {name:<13}{line}" for name, line in zip_longest([scenario.name], told, fillvalue="")
        ]
    return "\n".join(lines)
