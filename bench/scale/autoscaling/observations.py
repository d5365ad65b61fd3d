"""How many replicas were wanted and ready, each second from beginning to end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bench.scale.autoscaling.api import ClusterApi, is_serving
from bench.scale.autoscaling.manifests import NAMESPACE

EVERY = 1.0
STATEFUL_SET = f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets/handler"


@dataclass(frozen=True)
class Observation:
    """At a moment of the monotonic clock: pods that are wanted, that are there at all, and that are
    ready and were not told to end. The StatefulSet's own number of ready ones has those, too."""

    at: float
    wanted: int
    there: int
    ready: int


def select(
    observations: Iterable[Observation], since: float, until: float = float("inf")
) -> list[Observation]:
    """Those of a time; ValueError where there are none: nothing could be said of it."""
    found = [one for one in observations if since <= one.at <= until]
    if not found:
        raise ValueError(f"nothing was observed between {since:.1f} and {until:.1f}")
    return found


def lowest_ready(observations: Sequence[Observation], since: float) -> int:
    """The fewest replicas that were ready at any moment since then."""
    return min(one.ready for one in select(observations, since))


def lowest_wanted(observations: Sequence[Observation], since: float) -> int:
    """The fewest that were wanted."""
    return min(one.wanted for one in select(observations, since))


class Watch:
    """Observes in a thread of its own."""

    def __init__(self, connect: Callable[[], ClusterApi]) -> None:
        self._connect = connect
        self.observations: list[Observation] = []
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._look, daemon=True)

    @property
    def latest(self) -> Observation:
        """Raises what went wrong while looking."""
        if self._failure is not None:
            raise self._failure
        return self.observations[-1] if self.observations else Observation(0, 0, 0, 0)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join(15)

    def _look(self) -> None:
        try:
            api = self._connect()
            while not self._ended.wait(EVERY):
                found = api.get(STATEFUL_SET)
                if found is not None:
                    pods = api.handler_pods()
                    self.observations.append(
                        Observation(
                            time.monotonic(),
                            found["spec"].get("replicas", 1),
                            len(pods),
                            sum(map(is_serving, pods)),
                        )
                    )
        except Exception as error:
            if not self._ended.is_set():
                self._failure = error
