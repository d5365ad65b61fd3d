"""What a scrape, an export, a worker's end and others' heavy requests do to the tail of an answer.

An open loop at a low rate, in a process of its own, beside one disturbance after the other, round
after round, so that a machine that changes its speed changes it for all of them. The table goes
into docs/reliability.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from bench.faults.report import Report, write_report
from bench.open_loop import Paced, send_paced, spawn_client
from bench.otlp_sink import otlp_sink
from bench.own_models import add_models_option, find_models
from tests.lab.handler import Handler
from tests.lab.traffic import TRANSACTION

_BATCH = json.dumps({"transactions": [TRANSACTION] * 1000}).encode()
_SINGLE = json.dumps(TRANSACTION).encode()
_JSON = {"Content-Type": "application/json"}
_MOST_RATIO = 3.0


@dataclass(frozen=True)
class Disturbance:
    """`act` is done every `pause` seconds; with `exports` the service pushes each second."""

    act: Callable[[Handler], object] | None = None
    pause: float = 0.1
    exports: bool = False


def _post(path: str, body: bytes) -> Callable[[Handler], object]:
    return lambda handler: requests.post(
        f"{handler.url}{path}", data=body, headers=_JSON, timeout=30
    )


WITHOUT = "nothing"
DISTURBANCES = {
    WITHOUT: Disturbance(),
    "a scrape each second": Disturbance(Handler.exposition, pause=1),
    "an export each second": Disturbance(exports=True),
    "a worker's end each 10 s": Disturbance(Handler.recycle_worker, pause=9),
    "a batch of 1,000, one after the other": Disturbance(_post("/predict", _BATCH)),
    "explain=true, one after the other": Disturbance(_post("/predict?explain=true", _SINGLE)),
}


def measure(models: Path, options: argparse.Namespace) -> dict[str, Paced]:
    """Each disturbance in every round."""
    tails = {name: Paced() for name in DISTURBANCES}
    with _services(models) as services, spawn_client() as client:
        for number in range(options.rounds):
            for name, disturbance in DISTURBANCES.items():
                handler = services[disturbance.exports]
                with _disturbed(handler, disturbance):
                    paced: Paced = client.submit(
                        send_paced, handler.port, options.rate, options.seconds
                    ).result()
                tails[name].seconds += paced.seconds
                tails[name].failed += paced.failed
                print(f"round {number + 1}: {name}: {paced.describe()}", flush=True)
    return tails


@contextmanager
def _services(models: Path) -> Iterator[dict[bool, Handler]]:
    """One that exports nothing and one that exports each second, by whether it does."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sink = stack.enter_context(otlp_sink())
        exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink, "OTEL_METRIC_EXPORT_INTERVAL": "1000"}
        yield {
            exports: stack.enter_context(
                Handler(folder / str(exports), models, WEB_CONCURRENCY="2", **settings)
            )
            for exports, settings in ((False, {}), (True, exporting))
        }


@contextmanager
def _disturbed(handler: Handler, disturbance: Disturbance) -> Iterator[None]:
    stopped = threading.Event()

    def disturb() -> None:
        while not stopped.wait(disturbance.pause):
            # A request of the disturbance may meet a worker that ends.
            with suppress(requests.RequestException, IndexError):
                assert disturbance.act is not None
                disturbance.act(handler)

    thread = threading.Thread(target=disturb)
    if disturbance.act is not None:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        if disturbance.act is not None:
            thread.join()


def make_report(tails: dict[str, Paced]) -> Report:
    """Times in ms, and the ratio of p99.9 to that without a disturbance beside its goal."""
    without = tails[WITHOUT].percentile_ms(99.9)
    rows = []
    for name, tail in tails.items():
        p50, p99, p999 = (tail.percentile_ms(percent) for percent in (50, 99, 99.9))
        ratio = p999 / without
        verdict = "reached" if ratio <= _MOST_RATIO else "**missed**"
        rows.append(
            (
                name, f"{len(tail.seconds):,}", str(tail.failed), f"{p50:.1f} ms", f"{p99:.1f} ms",
                f"{p999:.1f} ms", f"{ratio:.2f}",
                "" if name == WITHOUT else f"≤ {_MOST_RATIO:g}: {verdict}",
            )
        )  # fmt: skip
    head = ("beside", "requests", "failed", "p50", "p99", "p99.9", "to nothing's", "goal")
    return Report("Neighbours", head, rows)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.neighbours", description=__doc__)
    add = parser.add_argument
    add("--rounds", type=int, default=5, help="turns of each disturbance (%(default)s)")
    add("--seconds", type=float, default=20, help="of a turn (%(default)s)")
    add("--rate", type=float, default=250, help="requests a second (%(default)s)")
    add_models_option(parser)
    add("--print", action="store_true", help="print only, and leave docs/reliability.md as it is")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        models = find_models(options.models, Path(name))
        report = make_report(measure(models, options))
    print(report.format())
    if not options.print:
        write_report(report)


if __name__ == "__main__":
    main()
