"""The way of the counts to Prometheus interrupted: by Prometheus, by the Collector, by a service
whose clock is wrong. Lost is what Prometheus never hears of."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import requests

from bench.faults import broken_parts as parts
from bench.faults.surroundings import SteppedClock
from tests.lab.collector import Collector
from tests.lab.handler import Handler
from tests.lab.program import Program
from tests.lab.prometheus import Prometheus
from tests.lab.tools import tools_folder

_SECONDS = 30.0
_AWAY = 10.0
_QUERY = 'sum(last_over_time(predictions_total{endpoint="/predict"}[3h]))'


@dataclass(frozen=True)
class Route:
    """From the service to Prometheus."""

    prometheus: Prometheus
    collector: Collector
    clock: SteppedClock

    def count(self, _: Handler) -> float:
        """The predictions that Prometheus knows of now."""
        with contextlib.suppress(requests.RequestException, AssertionError):
            return self.prometheus.number(_QUERY) or 0.0
        return 0.0


Fault = Callable[[Route], Awaitable[None]]


async def _take_away(program: Program) -> None:
    program.kill()
    await asyncio.sleep(_AWAY)
    await asyncio.to_thread(program.start)


async def _take_prometheus(route: Route) -> None:
    await _take_away(route.prometheus)


async def _take_collector(route: Route) -> None:
    await _take_away(route.collector)


def _step_for_a_while(seconds: int) -> Fault:
    async def step(route: Route) -> None:
        route.clock.step(seconds)
        await asyncio.sleep(_AWAY)
        route.clock.step(0)

    return step


_FAULTS: dict[str, Fault] = {
    "Prometheus killed for 10 s": _take_prometheus,
    "Collector killed for 10 s": _take_collector,
    "the clock an hour ahead for 10 s, as Prometheus sees it": _step_for_a_while(3600),
    "the clock an hour behind for 10 s, as Prometheus sees it": _step_for_a_while(-3600),
}


def measure_routes(models: Path, folder: Path, only: str) -> Iterator[parts.FaultResult]:
    """Each with programs of its own."""
    for number, (fault, act) in enumerate(_FAULTS.items()):
        if only not in fault:
            continue
        with ExitStack() as stack:
            place = folder / f"route-{number}"
            prometheus = Prometheus(tools_folder(), place / "prometheus")
            collector = Collector(
                tools_folder(), place / "collector", PROMETHEUS_URL=prometheus.url
            )
            route = Route(prometheus, collector, SteppedClock(place))
            for program in (prometheus, collector):
                stack.enter_context(program)
            settings = route.clock.settings | collector.exporter_settings()
            handler = Handler(place, models, WEB_CONCURRENCY="2", LOG_LEVEL="warning", **settings)
            stack.enter_context(handler)
            yield asyncio.run(_measure(fault, handler, route, act))


def _measure(
    fault: str, handler: Handler, route: Route, act: Fault
) -> Coroutine[None, None, parts.FaultResult]:
    async def do(_: Handler) -> None:
        await act(route)

    return parts.measure(fault, handler, do, _SECONDS, count=route.count)
