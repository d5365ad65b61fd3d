"""What counters counted while one champion and one challenger were loaded, from stored samples.

The counters of a worker go on when another model is loaded. So an increase belongs to a pair only
between two successive samples at both of which that worker shows exactly this pair. Silence between
them changes nothing: a worker pushes when it counts, when it starts and before it stops.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from prometheus.client.query import History, select_job, split_time

Pair = tuple[str, str]
Shown = Mapping[str, Mapping[float, frozenset[Pair]]]
"""By worker and moment: role and version of each model that it shows."""

# A day of a worker's samples is a small answer, and no server refuses a day.
_MOST_SECONDS: Final = 86_400.0


class Samples(Protocol):
    """Where stored samples are had."""

    def samples(self, selector: str, start: float, end: float) -> list[History]:
        """Every stored sample of the selected series after start and until end."""
        ...


@dataclass(frozen=True)
class Increase:
    """A counter's increase, known at a moment in seconds since 1970."""

    labels: Mapping[str, str]
    moment: float
    amount: float


@dataclass(frozen=True)
class _Push:
    """When a worker was last seen, and whether it showed the pair then."""

    moment: float
    ours: bool


@dataclass
class PairCounter:
    """Finds the increases that belong to `pair`, champion and challenger, in samples that come in
    the order of time."""

    pair: Pair
    first_shown: float | None = None
    _last: dict[frozenset[tuple[str, str]], tuple[_Push, float]] = field(default_factory=dict)
    _seen: dict[str, _Push] = field(default_factory=dict)

    def take(self, counters: Iterable[History], shown: Shown) -> Iterator[Increase]:
        """The increases in the next samples; a counter that fell began anew."""
        exactly = frozenset({("champion", self.pair[0]), ("challenger", self.pair[1])})
        pushes = {
            instance: [_Push(moment, models == exactly) for moment, models in sorted(at.items())]
            for instance, at in shown.items()
            if at
        }
        for series in counters:
            yield from self._take_series(series, pushes.get(series.labels.get("instance", ""), []))
        for instance, own in pushes.items():
            self._seen[instance] = own[-1]
            first = min((one.moment for one in own if one.ours), default=None)
            if first is not None and (self.first_shown is None or first < self.first_shown):
                self.first_shown = first

    def _take_series(self, series: History, pushes: list[_Push]) -> Iterator[Increase]:
        key = frozenset(series.labels.items())
        moments = [one.moment for one in pushes]
        for moment, value in series.samples:
            last = self._last.get(key) or self._find_zero(series, moments, pushes, moment)
            if last is not None and moment <= last[0].moment:
                continue
            place = bisect_left(moments, moment)
            ours = place < len(moments) and moments[place] == moment and pushes[place].ours
            if last is not None and last[0].ours and ours:
                before = last[1]
                amount = value - before if value >= before else value
                yield Increase(series.labels, moment, amount)
            self._last[key] = _Push(moment, ours), value

    def _find_zero(
        self, series: History, moments: list[float], pushes: list[_Push], moment: float
    ) -> tuple[_Push, float] | None:
        """A series that a worker's push before this one did not have was 0 then."""
        place = bisect_left(moments, moment)
        before = pushes[place - 1] if place else self._seen.get(series.labels.get("instance", ""))
        return None if before is None else (before, 0.0)


def find_shown(versions: Iterable[History]) -> Shown:
    """Of the samples of `model_version`."""
    found: dict[str, dict[float, set[Pair]]] = defaultdict(lambda: defaultdict(set))
    for one in versions:
        model = one.labels.get("role", ""), one.labels.get("version", "")
        for moment, _ in one.samples:
            found[one.labels.get("instance", "")][moment].add(model)
    return {
        instance: {moment: frozenset(models) for moment, models in at.items()}
        for instance, at in found.items()
    }


def read_increases(
    prometheus: Samples, job: str, counter: PairCounter, metric: str, start: float, end: float
) -> Iterator[Increase]:
    """The pair's increases of a metric's series from start to end, read day by day."""
    chosen = select_job(job)
    for since, until in split_time(start, end, _MOST_SECONDS):
        shown = find_shown(prometheus.samples(f"model_version{chosen}", since, until))
        yield from counter.take(prometheus.samples(f"{metric}{chosen}", since, until), shown)
