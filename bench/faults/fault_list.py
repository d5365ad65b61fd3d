"""The faults that are measured, and the table of what they do."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.faults import broken_parts as parts
from bench.faults import surroundings
from bench.faults.report import Report
from bench.faults.routes import measure_routes
from bench.faults.starts import measure_starts
from tests.lab.handler import Handler

_STORE = Path("state") / "feedback.sqlite"
# gunicorn ends a worker that shows no sign of life after 30 s.
_HUNG_SECONDS = 40.0
# One after the other, each when its successor is ready: some three seconds, a hundred in all.
_RECYCLED, _RECYCLED_AFTER, _RECYCLING_SECONDS = 8, 40, 330.0
_EXPORTING = {"OTEL_METRIC_EXPORT_INTERVAL": "1000", "OTEL_EXPORTER_OTLP_TIMEOUT": "2"}
_HEAD = (
    "fault", "requests", "failed", "counts lost", "recovered after", "a label of before",
    "the log says",
)  # fmt: skip


@dataclass(frozen=True)
class Bench:
    """Runs one service for each fault, in a folder of its own."""

    models: Path
    folder: Path
    seconds: float
    only: str

    def run(
        self,
        fault: str,
        settings: Mapping[str, str] | None = None,
        act: parts.Act = parts.do_nothing,
        seconds: float = 0,
        wrap: Callable[[list[str]], list[str]] = list,
    ) -> Iterator[parts.FaultResult]:
        """Nothing where another fault is asked for."""
        if self.only not in fault:
            return
        place = self.folder / fault.replace(" ", "-").replace(",", "")
        own = {"WEB_CONCURRENCY": "2", "LOG_LEVEL": "warning"} | dict(settings or {})
        handler = Handler(place, self.models, **own)
        handler.command = wrap(handler.command)
        with handler:
            yield asyncio.run(parts.measure(fault, handler, act, seconds or self.seconds))
            if self.only:
                print(handler.output())


def measure_faults(models: Path, folder: Path, options: argparse.Namespace) -> Report:
    """One after the other."""
    rows: list[tuple[str, ...]] = []
    for result in _measure_all(Bench(models, folder, options.seconds, options.only)):
        rows.append(describe(result))
        print(rows[-1], flush=True)
    for row in measure_starts(models, folder, options.only):
        rows.append(row)
        print(row, flush=True)
    return Report("Faults", _HEAD, rows)


def describe(result: parts.FaultResult) -> tuple[str, ...]:
    """The row of the table."""
    outcome = result.outcome
    return (
        result.fault, f"{outcome.sent:,}", str(outcome.sent - len(outcome.accepted)),
        f"{result.lost:g}", f"{result.recovered_after:.1f} s", result.label, result.said,
    )  # fmt: skip


def _measure_all(bench: Bench) -> Iterator[parts.FaultResult]:
    yield from bench.run("none")
    yield from _measure_workers(bench)
    yield from _measure_clock(bench)
    yield from _measure_memory(bench)
    yield from _measure_names(bench)
    yield from _measure_addresses(bench)
    yield from _measure_stores(bench)
    yield from bench.run("descriptors used up", act=_use_up_descriptors)
    yield from measure_routes(bench.models, bench.folder, bench.only)


def _measure_workers(bench: Bench) -> Iterator[parts.FaultResult]:
    yield from bench.run("a worker killed", act=parts.kill_worker)
    yield from bench.run("all workers killed", act=parts.kill_all_workers)
    yield from bench.run("a worker hung", act=parts.stop_worker, seconds=_HUNG_SECONDS)
    yield from bench.run("rolling restart (SIGHUP)", act=parts.restart_workers)
    yield from bench.run("stopped under load (SIGTERM) and started again", act=parts.stop_and_start)
    seen: set[int] = set()
    watch = parts.watch_workers(seen, _RECYCLING_SECONDS - 2)
    often = {
        "WORKER_MAX_REQUESTS": str(_RECYCLED_AFTER),
        "WEB_CONCURRENCY": str(_RECYCLED),
    }
    for result in bench.run("workers recycled", often, watch, _RECYCLING_SECONDS):
        yield dataclasses.replace(
            result, fault=f"{len(seen) - _RECYCLED} workers recycled, of eight"
        )


def _measure_clock(bench: Bench) -> Iterator[parts.FaultResult]:
    for name, seconds in (("forward", 3600), ("back", -3600)):
        fault = f"the clock stepped an hour {name}"
        clock = surroundings.SteppedClock(bench.folder / name)

        async def step(
            _: Handler, clock: surroundings.SteppedClock = clock, by: int = seconds
        ) -> None:
            clock.step(by)

        yield from bench.run(fault, clock.settings, step)


def _measure_memory(bench: Bench) -> Iterator[parts.FaultResult]:
    if surroundings.can_limit_memory():
        yield from bench.run(
            "a worker at its memory limit", act=surroundings.run_out_of_memory, seconds=20
        )


def _measure_names(bench: Bench) -> Iterator[parts.FaultResult]:
    if not surroundings.can_hide_names():
        return
    for name, silent in (("DNS gone", False), ("DNS black-holed", True)):
        with surroundings.name_server(silent=silent):
            collector = f"http://{surroundings.COLLECTOR_NAME}:4318"
            redis = f"redis://{surroundings.REDIS_NAME}:6379/0"
            wrap = surroundings.without_names
            for whose, settings in (
                ("the Collector's", _EXPORTING | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector}),
                ("Redis'", {"REDIS_URL": redis}),
            ):
                yield from bench.run(f"{name}, for {whose} name", settings, wrap=wrap)


def _measure_addresses(bench: Bench) -> Iterator[parts.FaultResult]:
    with parts.black_hole() as silent, parts.closed_port() as closed:
        for name, port in (("gone", closed), ("black-holed", silent)):
            address = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"}
            yield from bench.run(f"Collector {name}", _EXPORTING | address)
            yield from bench.run(f"Redis {name}", {"REDIS_URL": f"redis://127.0.0.1:{port}/0"})


def _measure_stores(bench: Bench) -> Iterator[parts.FaultResult]:
    full = bench.folder / "file-system"
    with parts.full_disk(full) as can_be_made:
        if can_be_made:
            yield from bench.run("a full disk", {"RECEIPT_DIR": str(full)})
    with parts.locked_store(bench.folder / "SQLite-locked" / _STORE):
        yield from bench.run("SQLite locked")
    broken = bench.folder / "SQLite-corrupt" / _STORE
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"this is no database" * 1000)
    yield from bench.run("SQLite corrupt")


async def _use_up_descriptors(handler: Handler) -> None:
    """Each worker may open a few more; then strangers open all of them, and go."""
    for pid in handler.workers():
        worker = psutil.Process(pid)
        most = worker.num_fds() + 20
        worker.rlimit(psutil.RLIMIT_NOFILE, (most, most))
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_connection(("127.0.0.1", handler.port), 1))
        await asyncio.sleep(2)
