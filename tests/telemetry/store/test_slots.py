"""Slots: counts outlive the worker that made them, and every reader sees the exact sum."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from telemetry.card_labels import fill_card_labels
from telemetry.exemplars import Exemplars
from telemetry.metrics import PREDICTIONS
from telemetry.recorder import Recorder, ScoredTransaction, ScoringCall
from telemetry.store.layout import IN_FLIGHT, Layout
from telemetry.store.slots import Cells, Slots
from telemetry.store.sources import AllSlots, OneSlot
from tests.conftest import FACTS

ROOT = Path(__file__).parents[3]
ROW = [10.0, 30.0, 1000.0, 1.0, 0.01]
LEGITIMATE = ScoredTransaction(ROW, "legitimate", "basic", "low", 0.01, 10.0, "low")
CALL = ScoringCall("/predict", "champion", [LEGITIMATE], 1e-5)

# A worker that counts `count` predictions, says so, and then waits to be killed.
WORKER = """
import sys, time
from pathlib import Path
from telemetry.exemplars import Exemplars
from telemetry.store.layout import Layout
from telemetry.recorder import Recorder
from telemetry.store.slots import Slots
from telemetry.card_labels import fill_card_labels
from tests.conftest import FACTS
from tests.telemetry.store.test_slots import CALL
layout = Layout(fill_card_labels(FACTS.features, FACTS.score))
slot = Slots(Path(sys.argv[1]), layout).claim()
recorder = Recorder(slot, layout, Exemplars(), FACTS.features, FACTS.score)
recorder.record_request_start()
for _ in range(int(sys.argv[2])):
    recorder.record_predictions(CALL)
print(slot.index, flush=True)
time.sleep(60)
"""


def make_layout() -> Layout:
    return Layout(fill_card_labels(FACTS.features, FACTS.score))


def sum_predictions(cells: Sequence[float] | Cells) -> float:
    offsets = make_layout().offsets(PREDICTIONS).values()
    return float(sum(cells[offset] for offset in offsets))


class Worker:
    """A process of its own that counts and then stays."""

    def __init__(self, folder: Path, count: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(folder), str(count)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert self._process.stdout is not None
        self.slot = int(self._process.stdout.readline())

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


StartWorker = Callable[[int], Worker]


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[StartWorker]:
    started: list[Worker] = []

    def start(count: int) -> Worker:
        started.append(Worker(tmp_path, count))
        return started[-1]

    yield start
    for one in started:
        one.kill()


def test_sum_is_exact_over_processes(tmp_path: Path, worker: StartWorker) -> None:
    """Three workers count 5, 7 and 9: a reader that counted nothing sees 21."""
    assert [worker(count).slot for count in (5, 7, 9)] == [0, 1, 2]
    assert sum_predictions(AllSlots(Slots(tmp_path, make_layout())).cells()) == 21


def test_nothing_is_lost_with_a_killed_worker(tmp_path: Path, worker: StartWorker) -> None:
    worker(5).kill()
    assert sum_predictions(AllSlots(Slots(tmp_path, make_layout())).cells()) == 5


def test_next_worker_takes_the_slot_over_and_counts_on(tmp_path: Path, worker: StartWorker) -> None:
    """The same slot, so the same instance in Prometheus, and its counter never falls."""
    first = worker(5)
    worker(7)
    first.kill()
    assert worker(11).slot == 0
    assert sum_predictions(OneSlot(Slots(tmp_path, make_layout()), 0).cells()) == 16
    assert sum_predictions(AllSlots(Slots(tmp_path, make_layout())).cells()) == 23


def test_dead_worker_has_nothing_in_flight(tmp_path: Path, worker: StartWorker) -> None:
    """Its open request was never answered: it must not stand in the queue for ever."""
    one = worker(1)
    everything = AllSlots(Slots(tmp_path, make_layout()))
    assert everything.in_flight() == 1
    one.kill()
    assert everything.in_flight() == 0


def test_new_holder_begins_with_nothing_in_flight(tmp_path: Path, worker: StartWorker) -> None:
    worker(1).kill()
    slot = Slots(tmp_path, make_layout()).claim()
    assert slot.cells[IN_FLIGHT] == 0
    slot.release()


def test_other_labels_get_slots_of_their_own(tmp_path: Path) -> None:
    """A version with other label sets must not read the old cells as its own."""
    fewer = Layout([PREDICTIONS])
    slot = Slots(tmp_path, make_layout()).claim()
    recorder = Recorder(slot, make_layout(), Exemplars(), FACTS.features, FACTS.score)
    recorder.record_predictions(CALL)
    other = Slots(tmp_path, fewer).claim()
    assert sum_predictions(AllSlots(Slots(tmp_path, fewer)).cells()) == 0
    slot.release()
    other.release()


def test_truncated_file_begins_anew(tmp_path: Path) -> None:
    slots = Slots(tmp_path, make_layout())
    slots.claim().release()
    [file] = tmp_path.iterdir()
    os.truncate(file, 10)
    slot = Slots(tmp_path, make_layout()).claim()
    assert sum_predictions(slot.cells) == 0
    slot.release()


def test_every_series_has_cells_of_its_own() -> None:
    """No two series overlap, and the slot ends with the last one."""
    ends = 0
    for series in (one for group in make_layout().series.values() for one in group):
        assert series.offset >= ends
        ends = series.offset + series.cells
    assert ends == make_layout().size
