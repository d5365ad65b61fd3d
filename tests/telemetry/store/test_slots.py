"""Slots: counts outlive the worker that made them, and every reader sees the exact sum."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from telemetry.card_labels import fill_card_labels
from telemetry.errors import TelemetryError
from telemetry.exemplars import Exemplars
from telemetry.metrics import PREDICTIONS
from telemetry.prediction_counts import ScoredTransaction
from telemetry.recorder import Recorder, ScoringCall
from telemetry.store.layout import CREATED, IN_FLIGHT, Layout
from telemetry.store.slots import Cells, Slots
from telemetry.store.sources import AllSlots, OneSlot
from tests.conftest import FACTS

ROOT = Path(__file__).parents[3]
ROW = [10.0, 30.0, 1000.0, 1.0, 0.01]
LEGITIMATE = ScoredTransaction(ROW, "legitimate", "basic", "low", 0.01, 10.0, "low")
CALL = ScoringCall("/predict", "champion", [LEGITIMATE], 1e-5, [LEGITIMATE])

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
layout = Layout(fill_card_labels(FACTS.features, FACTS.score, FACTS.slots))
slot = Slots(Path(sys.argv[1]), layout).claim()
recorder = Recorder(slot, layout, Exemplars(), FACTS.features, FACTS.score, "1")
recorder.record_request_start()
for _ in range(int(sys.argv[2])):
    recorder.record_predictions(CALL)
print(slot.index, flush=True)
time.sleep(60)
"""


def make_layout() -> Layout:
    return Layout(fill_card_labels(FACTS.features, FACTS.score, FACTS.slots))


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
    recorder = Recorder(slot, make_layout(), Exemplars(), FACTS.features, FACTS.score, "1")
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


def test_slot_of_a_worker_that_died_is_claimed_before_one_that_was_given_back(
    tmp_path: Path, worker: StartWorker
) -> None:
    """Its last counts would be pushed only when another worker ends. Recycled workers leave one."""
    slots = Slots(tmp_path, make_layout())
    recycled = slots.claim()
    killed = worker(5)
    assert (recycled.index, killed.slot) == (0, 1)
    recycled.release()
    del recycled
    killed.kill()
    claimed = [slots.claim(), slots.claim()]
    assert [one.index for one in claimed] == [1, 0]
    assert sum_predictions(claimed[0].cells) == 5
    for one in claimed:
        one.release()


def test_slot_that_is_not_allocated_yet_hides_none_behind_it(tmp_path: Path) -> None:
    """Two workers of a new service start at once; the first was stopped in the middle."""
    first = Slots(tmp_path, make_layout())
    descriptor = first._try_lock(0)
    assert descriptor is not None
    slots = Slots(tmp_path, make_layout())
    own = slots.claim()
    OneSlot(slots, own.index)
    assert AllSlots(slots).cells().size == make_layout().size
    first._open(0, descriptor).release()
    assert list(slots.read()) == [1, 0]
    own.release()


def test_slot_may_appear_while_all_are_gone_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads share the slots: one pushes while another answers a scrape."""
    slots = Slots(tmp_path, make_layout())
    claimed = [slots.claim()]

    def find_another(_: Cells) -> bool:
        claimed.append(slots.claim())
        slots.read()
        return True

    monkeypatch.setattr("telemetry.store.sources.is_alive", find_another)
    assert AllSlots(slots).in_flight() == 0
    for one in claimed:
        one.release()


def test_reserved_slot_is_claimed_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recycled worker's successor must not end the service; the slot is nobody's until then."""

    def fail(*_: int) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    slots = Slots(tmp_path, make_layout())
    first = slots.claim()
    slots.reserve(1)
    assert AllSlots(slots).created() == first.cells[CREATED]
    monkeypatch.setattr("telemetry.store.slot_file._reserve", fail)
    second = slots.claim()
    assert second.index == 1
    with pytest.raises(TelemetryError, match="no space left"):
        slots.claim()
    for one in (first, second):
        one.release()
