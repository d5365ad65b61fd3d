"""The drills: what is done to the service, for how long, and when it is over.

Times are minutes of the rules' clock; at scale 60 a minute takes a second. Which alerts must and
may fire is what the alerts say of the drill's name (prometheus/generator/alerts, slo.yml).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from bench.detection.stage import Stage
from prometheus.generator.derived import Expected, expect
from prometheus.generator.generate import alerts

Act = Callable[[Stage], None]


def do_nothing(_: Stage) -> None:
    """What is wrong is in the traffic alone."""


@cache
def _expect(name: str) -> Expected:
    return expect(alerts(), name)


@dataclass(frozen=True)
class Drill:
    """One fault that is known.

    Steady traffic for `before`, the fault for `lasts`, steady traffic for `afterwards`.
    """

    name: str
    what: str
    before: float = 60
    lasts: float = 120
    afterwards: float = 45
    scenario: str = "steady"
    rate: float = 40
    label_delay: float = 5
    begin: Act = do_nothing
    end: Act = do_nothing

    @property
    def must(self) -> tuple[str, ...]:
        """Alerts that have to fire while the fault lasts."""
        return _expect(self.name).must

    @property
    def may(self) -> tuple[str, ...]:
        """Other consequences of the same fault; everything else that fires is a false alarm."""
        return _expect(self.name).may

    @property
    def minutes(self) -> float:
        """All three phases."""
        return self.before + self.lasts + self.afterwards


DRILLS = (
    Drill("steady", "Nothing: traffic as in training, labels as they should be.", lasts=240),
    Drill(
        "drift",
        "Amounts are 1.6 times as large, places riskier; fraud follows the same law.",
        scenario="drift",
    ),
    Drill(
        "concept",
        "The same transactions, but other ones are fraud than before.",
        scenario="concept",
        # Noticed by frauds that are missed: some two hundred labelled frauds show it.
        before=45,
        lasts=420,
    ),
    Drill(
        "fraud-burst",
        "Every tenth transaction comes from a risky place, in bursts.",
        scenario="fraud-burst",
    ),
    Drill(
        "bad-data",
        "A client sends fields that are missing, of the wrong type or out of range.",
        scenario="bad-data",
    ),
    Drill("slow", "A share of the answers takes 400 ms.", scenario="slow"),
    Drill("errors", "A share of the requests is answered with 500.", scenario="errors"),
    Drill(
        "outage",
        "The handler is killed; its customers go on asking.",
        lasts=60,
        begin=lambda stage: stage.kill_handler(),
        end=lambda stage: stage.restart_handler(),
    ),
    Drill(
        "collector-gone",
        "The Collector is killed; the service goes on.",
        lasts=60,
        begin=lambda stage: stage.collector.kill(),
        end=lambda stage: stage.restart_collector(),
    ),
    Drill(
        "late-labels",
        "Labels came for a day and then no more.",
        scenario="late-labels",
        before=120,
        lasts=1620,
        afterwards=60,
        rate=4,
    ),
)
