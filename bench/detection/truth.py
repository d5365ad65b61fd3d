"""The drills: what is done to the service, and the alerts that must and may follow from it.

Times are minutes of the rules' clock; at scale 60 a minute takes a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.detection.stage import Stage

Act = Callable[[Stage], None]


def _nothing(_: Stage) -> None:
    """What is wrong is in the traffic alone."""


@dataclass(frozen=True)
class Drill:
    """One fault with its known truth.

    Steady traffic for `before`, the fault for `lasts`, steady traffic for `afterwards`. `must`:
    alerts that have to fire while it lasts, any one of each tuple; `may`: other consequences of the
    same fault; everything else that fires is a false alarm.
    """

    name: str
    what: str
    must: tuple[tuple[str, ...], ...] = ()
    may: frozenset[str] = frozenset()
    before: float = 60
    lasts: float = 120
    afterwards: float = 45
    scenario: str = "steady"
    rate: float = 40
    label_delay: float = 5
    begin: Act = _nothing
    end: Act = _nothing

    @property
    def minutes(self) -> float:
        """All three phases."""
        return self.before + self.lasts + self.afterwards


_SHIFTED = frozenset({"ScoreDrift", "FraudRateJump", "MeanScoreJump", "DriftSoon"})
# Frauds of another kind, or another share of them: precision and recall move with the mix.
_QUALITY = frozenset(
    {"LiveQualityLow", "LiveQualitySoonLow", "CalibrationBroken", "ExpectedPerformanceGap"}
)

DRILLS = (
    Drill("steady", "Nothing: traffic as in training, labels as they should be.", lasts=240),
    Drill(
        "drift",
        "Amounts are 1.6 times as large, places riskier; fraud follows the same law.",
        must=(("FeatureDrift",),),
        may=_SHIFTED | _QUALITY,
        scenario="drift",
    ),
    Drill(
        "concept",
        "The same transactions, but other ones are fraud than before.",
        # Noticed by frauds that are missed: some two hundred labelled frauds tell.
        must=(("LiveQualityLow",),),
        may=_QUALITY,
        scenario="concept",
        before=45,
        lasts=420,
    ),
    Drill(
        "fraud-burst",
        "Every tenth transaction comes from a risky place, in bursts.",
        must=(("FraudRateJump",), ("MeanScoreJump",)),
        may=_SHIFTED | _QUALITY | {"FeatureDrift"},
        scenario="fraud-burst",
    ),
    Drill(
        "bad-data",
        "A client sends fields that are missing, of the wrong type or out of range.",
        must=(("BadData",),),
        scenario="bad-data",
    ),
    Drill(
        "slow",
        "A share of the answers takes 400 ms.",
        must=(("LatencyBudgetBurn",),),
        may=frozenset({"ErrorBudgetSoonSpent", "RequestsQueue"}),
        scenario="slow",
    ),
    Drill(
        "errors",
        "A share of the requests is answered with 500.",
        must=(("AvailabilityBudgetBurn",),),
        may=frozenset({"ErrorBudgetSoonSpent"}),
        scenario="errors",
    ),
    Drill(
        "outage",
        "The handler is killed; its customers go on asking.",
        must=(("ServiceDown",),),
        may=frozenset({"ErrorBudgetSoonSpent"}),
        lasts=60,
        begin=lambda stage: stage.kill_handler(),
        end=lambda stage: stage.restart_handler(),
    ),
    Drill(
        "collector-gone",
        "The Collector is killed; the service goes on.",
        must=(("TelemetrySilent",),),
        may=frozenset({"FreshnessBudgetBurn", "ErrorBudgetSoonSpent", "ServiceDown"}),
        lasts=60,
        begin=lambda stage: stage.collector.kill(),
        end=lambda stage: stage.restart_collector(),
    ),
    Drill(
        "late-labels",
        "Labels came for a day and then no more.",
        must=(("LabelsStalled",),),
        scenario="late-labels",
        before=120,
        lasts=1620,
        afterwards=60,
        rate=4,
    ),
)
