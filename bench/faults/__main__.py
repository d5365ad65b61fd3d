"""Slow clients, overload and faults against the running service; writes docs/reliability.md.

Everything is on loopback and bounded: by `--held` for each kind of slow clients, by `--minutes` for
the soak, else by `--seconds` for each measurement.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.faults import overload, slow_clients
from bench.faults.cardinality import measure_cardinality
from bench.faults.fault_list import measure_faults
from bench.faults.report import Report, write_report
from bench.faults.soak import measure_soak
from bench.own_models import add_models_option, find_models
from tests.lab.handler import Handler

_DESCRIPTORS = 20_000


def measure_slow_clients(models: Path, folder: Path, options: argparse.Namespace) -> Report:
    """Each kind, one after the other."""
    rows = []
    with Handler(folder / "slow", models, WEB_CONCURRENCY="2", LOG_LEVEL="warning") as handler:
        for kind in slow_clients.KINDS:
            measuring = slow_clients.measure(handler, kind, options.connections, options.held)
            one = asyncio.run(measuring)
            rows.append(
                (
                    kind, f"{one.connections:,}", f"{options.held:g} s", f"{one.reopened:,}",
                    f"{one.without.percentile_ms(99):.1f} ms",
                    f"{one.beside.percentile_ms(99):.1f} ms",
                    str(one.beside.failed), f"{one.freed_after:.1f} s",
                )
            )  # fmt: skip
            print(rows[-1], flush=True)
    head = (
        "clients", "connections", "held", "opened again", "p99 without", "p99 beside them",
        "failed", "descriptors free after",
    )  # fmt: skip
    return Report("Slow and silent clients", head, rows)


def measure_overload(models: Path, folder: Path, options: argparse.Namespace) -> Report:
    """At 2, 5 and 10 times the capacity."""
    rows = []
    with Handler(folder / "overload", models, WEB_CONCURRENCY="1", LOG_LEVEL="error") as handler:
        for factor in (2.0, 5.0, 10.0):
            # Each time anew: what a shared machine gives changes within a minute.
            capacity = asyncio.run(overload.find_capacity(handler, options.seconds))
            one = asyncio.run(overload.measure(handler, factor, capacity, options.seconds))
            outcome = one.outcome
            rows.append(
                (
                    f"{factor:g} times {capacity:.0f}/s", f"{outcome.sent:,}",
                    f"{100 * outcome.goodput / capacity:.0f} %", _ms(outcome.percentile_ms(99)),
                    f"{outcome.statuses[503]:,}", _ms(outcome.percentile_ms(99, outcome.refused)),
                    str(outcome.without_retry_after), str(len(outcome.failed_at)),
                    f"{one.recovered_after:.1f} s",
                )
            )  # fmt: skip
            print(rows[-1], flush=True)
    head = (
        "load", "requests", "goodput of capacity", "p99 of the accepted", "refused (503)",
        "p99 of the refused", "without Retry-After", "failed", "recovered after",
    )  # fmt: skip
    return Report("Overload", head, rows)


def _ms(value: float) -> str:
    return f"{value:.0f} ms"


MEASUREMENTS: dict[str, Callable[[Path, Path, argparse.Namespace], Report]] = {
    "slow": measure_slow_clients,
    "overload": measure_overload,
    "faults": measure_faults,
    "cardinality": measure_cardinality,
    "soak": measure_soak,
}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    words = ", ".join(MEASUREMENTS)
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"{words}; default: all but soak")
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement; default 10")
    add = parser.add_argument
    add("--held", type=float, default=60, help="seconds that slow clients stay; default 60")
    add("--connections", type=int, default=2000, help="of slow clients; default 2,000")
    add("--requests", type=int, default=20_000, help="of the cardinality; default 20,000")
    add("--minutes", type=float, default=30, help="of the soak; default 30")
    add(
        "--only", default="", help="those faults alone whose name contains this; nothing is written"
    )
    add_models_option(parser)
    options = parser.parse_args()
    unknown = [one for one in options.what if one not in MEASUREMENTS]
    if unknown:
        parser.error(f"there is no {unknown[0]!r}: it must be one of {words}")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_DESCRIPTORS, most), most))
    chosen = options.what or [name for name in MEASUREMENTS if name != "soak"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = find_models(options.models, folder)
        for one in chosen:
            report = MEASUREMENTS[one](models, folder, options)
            if not options.only:
                write_report(report)


if __name__ == "__main__":
    main()
