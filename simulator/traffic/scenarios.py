"""The scenarios: what is sent in each, from when to when, and the alerts that belong to it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import zip_longest
from textwrap import wrap
from typing import Final

from simulator.contract.vocabulary import (
    BAD_DATA,
    CONCEPT,
    DRIFT,
    ERRORS,
    FRAUD_BURST,
    LATE_LABELS,
    OUTAGE,
    SLOW,
    STEADY,
)
from simulator.traffic.expected_alerts import MAY_FIRE, MUST_FIRE

# Shares of the requests while the scenario lasts; of the burst one in BURST_EVERY.
BURST_EVERY: Final = 10
BAD_DATA_SHARE: Final = 0.3
INJECTED_FAULT_SHARE: Final = 0.2
INJECTED_DELAY_SECONDS: Final = 0.4
# For models whose process is not known: so many labels follow the answer to another request.
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
class ScenarioSchedule:
    """`scenario` from `after` seconds on for `lasts` seconds (None: to the end), else steady."""

    scenario: str = STEADY
    after: float = 0.0
    lasts: float | None = None

    @property
    def end(self) -> float:
        """When it is steady again, in seconds after the start; infinite where never."""
        return math.inf if self.lasts is None else self.after + self.lasts

    def scenario_at(self, seconds: float) -> str:
        """The scenario that holds so long after the start."""
        return self.scenario if self.after <= seconds < self.end else STEADY

    def hold_label(self, known: float) -> float:
        """When a label is sent that is known so long after the start: late labels are held."""
        return self.end if self.scenario_at(known) == LATE_LABELS else known


ALWAYS_STEADY: Final = ScenarioSchedule()


def describe_scenarios() -> str:
    """The table of the scenarios for `--help`."""
    lines = []
    for scenario in SCENARIOS:
        texts = [*wrap(scenario.does, 83), *wrap(f"alerts: {scenario.alerts}", 83)]
        lines += [
            f"  {name:<13}{line}"
            for name, line in zip_longest([scenario.name], texts, fillvalue="")
        ]
    return "\n".join(lines)
