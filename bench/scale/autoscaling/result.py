"""What the drill found: figures for the terminal, and the tables of docs/autoscaling.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.faults.report import Report
from bench.scale.autoscaling.history import History, read_history
from bench.scale.autoscaling.kwok_stages import PLAYED, PodSeconds
from bench.scale.autoscaling.manifests import MOST, OF_ONE_REPLICA, Change, read_shipped

LEAST_READY = MOST - MOST // 4
"""What the disruption budget and the rollout's `maxUnavailable` leave, 25 % each."""


@dataclass(frozen=True)
class Drain:
    """Of a node with so many of the handler's pods; seconds until they were gone from it, and
    until all were ready elsewhere."""

    pods: int
    seconds: float
    whole_again: float
    lowest_ready: int


@dataclass(frozen=True)
class Rollout:
    """Of all replicas."""

    seconds: float
    lowest_ready: int


@dataclass(frozen=True)
class Outage:
    """Of the store: seconds until KEDA's fallback was in force and the metric was back, since it
    was away and since it was back; the fewest replicas wanted from beginning to end."""

    seconds: float
    fallback_after: float
    metric_back_after: float
    held: int


@dataclass(frozen=True)
class Result:
    """`pod` is a real one, `held` are the predictions in the store; `load_average` is of the last
    quarter of an hour of the drill."""

    pod: PodSeconds
    rate: float
    up_seconds: float
    drain: Drain
    rollouts: tuple[Rollout, ...]
    series: tuple[int, int]
    outage: Outage
    down_seconds: float
    shipped_down: bool
    sent: int
    failed: int
    answered: int
    interrupted: int
    held: int
    load_average: float
    processors: int
    history: History

    @property
    def lost(self) -> int:
        """Predictions that were answered and are in no series."""
        return max(0, self.answered - self.held)

    @property
    def too_many(self) -> int:
        """Counted, and neither answered nor under way when the load was ended."""
        return max(0, self.held - self.answered - self.interrupted)

    @property
    def lowest_ready(self) -> list[int]:
        """In the drain and in each rollout."""
        return [self.drain.lowest_ready, *(one.lowest_ready for one in self.rollouts)]

    def find_faults(self) -> list[str]:
        """A sentence for each promise that was not kept."""
        lowest = min(self.lowest_ready)
        kept = {
            f"{self.failed} requests failed": self.failed == 0,
            f"{self.lost} counts are lost": self.lost == 0,
            f"{self.too_many} counts are too many": self.too_many == 0,
            f"series went from {self.series[0]} to {self.series[1]}":
                self.series[0] == self.series[1],
            f"{lowest} replicas were ready, at least {LEAST_READY} are promised":
                lowest >= LEAST_READY,
            f"{self.outage.held} replicas were wanted without the store": self.outage.held == MOST,
        }  # fmt: skip
        return [sentence for sentence, is_kept in kept.items() if not is_kept]

    def write(self, path: Path) -> None:
        """As JSON."""
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def read_result(path: Path) -> Result:
    """What `write` wrote; ValueError for anything else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Result(
            **content
            | {
                "pod": PodSeconds(**content["pod"]),
                "drain": Drain(**content["drain"]),
                "rollouts": tuple(Rollout(**one) for one in content["rollouts"]),
                "series": tuple(content["series"]),
                "outage": Outage(**content["outage"]),
                "history": read_history(content["history"]),
            }
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path.name} is no result of the drill: {error!r}") from None


def tabulate(result: Result) -> Report:
    """The figures."""
    outage, drain = result.outage, result.drain
    rows = [
        ("replicas at the beginning and at the end", "1"),
        ("from the beginning of the load to 100 ready", _s(result.up_seconds)),
        (f"a node with {drain.pods} of them drained", _s(drain.seconds)),
        ("all 100 ready again, from the beginning of the drain", _s(drain.whole_again)),
        ("three rollouts of 100 replicas", ", ".join(_s(one.seconds) for one in result.rollouts)),
        (
            f"fewest ready in the drain, in each rollout (promised: {LEAST_READY})",
            ", ".join(map(str, result.lowest_ready)),
        ),
        (
            "series of the real pods before and after the rollouts",
            f"{result.series[0]:,}, {result.series[1]:,}",
        ),
        ("store away", _s(outage.seconds)),
        ("KEDA's fallback in force after", _s(outage.fallback_after)),
        ("metric there again after the store was back", _s(outage.metric_back_after)),
        ("fewest replicas wanted meanwhile", str(outage.held)),
        (f"from the end of the load to 1, {_name_down(result)}", _s(result.down_seconds)),
        ("requests of the simulator", f"{result.sent:,}"),
        ("failed", f"{result.failed:,}"),
        ("predictions answered, held by the store", f"{result.answered:,}, {result.held:,}"),
        ("counts lost", f"{result.lost:,}"),
    ]
    return Report("Figures", ("", ""), rows)


def tabulate_changes(changes: Sequence[Change]) -> Report:
    """What the drill's ScaledObject has otherwise than the component `keda`."""
    rows = [
        (f"`{one.field}`", f"`{_flow(read_shipped(one.field))}`", f"`{_flow(one.here)}`", one.why)
        for one in changes
    ]
    return Report("Differences", ("field", "as shipped", "in the drill", "because"), rows)


def describe(result: Result) -> str:
    """The conditions, in a sentence or two."""
    wanted = result.rate / OF_ONE_REPLICA
    pod = result.pod
    return (
        f"{result.processors} processors, load average {result.load_average:.1f} by other work too."
        f" {result.rate:g} requests a second, what {wanted:.0f} replicas are wanted for at"
        f" {OF_ONE_REPLICA:g} each. Played pods are ready {PLAYED.start:g} s after their"
        f" start and gone {PLAYED.end:g} s after their deletion; a real one took {pod.start:.1f} s"
        f" and {pod.end:.1f} s."
    )


def _name_down(result: Result) -> str:
    return "as shipped" if result.shipped_down else "with the drill's scale-down"


def _flow(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _s(seconds: float) -> str:
    return f"{seconds:.0f} s"
