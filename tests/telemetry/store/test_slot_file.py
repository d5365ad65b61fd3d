"""A slot's file: its blocks are there before it is counted into, and what takes them away is seen.

A write to shared memory without a block behind it kills the process (SIGBUS), so whatever could
meet that is done in a process of its own, on a real file system that is full.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from telemetry.errors import TelemetryError
from telemetry.lifecycle import Telemetry, start
from telemetry.metrics import ERRORS, HTTP_REQUESTS
from telemetry.store.layout import Layout
from telemetry.store.slots import Slots
from tests.conftest import FACTS, SILENT

ROOT = Path(__file__).parents[3]
LAYOUT = Layout([HTTP_REQUESTS, ERRORS])  # two pages of memory
SIZE = LAYOUT.size * 8

# Claims a slot; for each line that it is told it counts once in every cell, and answers so.
WORKER = """
import sys
from pathlib import Path
from telemetry.errors import TelemetryError
from telemetry.metrics import ERRORS, HTTP_REQUESTS
from telemetry.store.layout import Layout
from telemetry.store.slots import Slots
try:
    layout = Layout([HTTP_REQUESTS, ERRORS])
    slot = Slots(Path(sys.argv[1]), layout).claim()
except TelemetryError as error:
    print(error, flush=True)
    sys.exit(3)
print("slot", slot.index, flush=True)
for line in sys.stdin:
    for cell in [*layout.offsets(HTTP_REQUESTS).values(), *layout.offsets(ERRORS).values()]:
        slot.cells[cell] += 1
    print("counted", slot.why_not_writable(), flush=True)
"""


class Worker:
    """A process of its own that counts when it is told to."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.said = self._read()

    def count(self) -> str:
        """What it answers; empty if it died."""
        assert self.process.stdin is not None
        self.process.stdin.write("count\n")
        self.process.stdin.flush()
        return self._read()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def _read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


StartWorker = Callable[[Path], Worker]


@pytest.fixture
def start_worker() -> Iterator[StartWorker]:
    started: list[Worker] = []

    def begin(folder: Path) -> Worker:
        started.append(Worker(folder))
        return started[-1]

    yield begin
    for worker in started:
        worker.kill()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 128 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("a small file system can be mounted by root alone")
    command = [mount, "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> None:
    """Leave no free block."""
    with (disk / "filler").open("ab", buffering=0) as filler:
        try:
            while True:
                filler.write(b"x" * 4096)
        except OSError as error:
            assert error.errno == errno.ENOSPC


def test_blocks_are_allocated_with_the_claim(tmp_path: Path) -> None:
    slot = Slots(tmp_path, LAYOUT).claim()
    [file] = tmp_path.iterdir()
    assert file.stat().st_blocks * 512 >= file.stat().st_size == SIZE
    slot.release()


def test_start_on_a_full_disk_ends_with_a_sentence(disk: Path, start_worker: StartWorker) -> None:
    fill(disk)
    worker = start_worker(disk / "state")
    assert worker.said == (
        f"STATE_DIR has no space left: {disk}/state must hold {SIZE} bytes of counters"
        " for each worker"
    )
    assert worker.process.wait() == 3


def test_disk_that_fills_later_does_not_touch_the_counting(
    disk: Path, start_worker: StartWorker
) -> None:
    worker = start_worker(disk)
    fill(disk)
    assert [worker.count(), worker.count()] == ["counted None", "counted None"]


def test_successor_of_a_killed_worker_starts_on_a_full_disk(
    disk: Path, start_worker: StartWorker
) -> None:
    worker = start_worker(disk)
    worker.count()
    fill(disk)
    worker.kill()
    successor = start_worker(disk)
    assert (successor.said, successor.count()) == ("slot 0", "counted None")
    [cells] = Slots(disk, LAYOUT).read().values()
    assert {cells[cell] for cell in LAYOUT.offsets(ERRORS).values()} == {2}


def make_sparse(file: Path) -> None:
    """The first number stays, and behind it there is a hole, as older versions left it."""
    head = file.read_bytes()[:8]
    os.truncate(file, 0)
    os.truncate(file, SIZE)
    with file.open("r+b") as content:
        content.write(head)
    assert file.stat().st_blocks * 512 < SIZE


@pytest.mark.parametrize("system", ["with fallocate", "without", "not supported"])
def test_sparse_slot_gets_its_blocks_and_keeps_its_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    """macOS has no posix_fallocate, and some file systems refuse it."""
    if system == "without":
        monkeypatch.delattr(os, "posix_fallocate")
    if system == "not supported":
        monkeypatch.setattr(os, "posix_fallocate", fail_with(errno.EOPNOTSUPP))
    slot = Slots(tmp_path, LAYOUT).claim()
    created = slot.cells[0]
    slot.release()
    del slot  # Its memory holds the lock, too.
    [file] = tmp_path.iterdir()
    make_sparse(file)
    slot = Slots(tmp_path, LAYOUT).claim()
    assert file.stat().st_blocks * 512 >= file.stat().st_size == SIZE
    assert (slot.cells[0], slot.why_not_writable()) == (created, None)
    slot.release()


def fail_with(code: int) -> Callable[..., NoReturn]:
    def fail(*_: object) -> NoReturn:
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT], ids=["full", "quota"])
def test_space_that_cannot_be_had_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(os, "posix_fallocate", fail_with(code))
    with pytest.raises(TelemetryError, match="STATE_DIR has no space left"):
        Slots(tmp_path, LAYOUT).claim()
    [file] = tmp_path.iterdir()
    assert file.stat().st_size == 0


@pytest.mark.parametrize(
    ("part", "says"), [("", "File exists"), ("below", "Not a directory")], ids=["file", "below"]
)
def test_folder_that_cannot_be_made_is_named(tmp_path: Path, part: str, says: str) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / part
    with pytest.raises(TelemetryError, match=f"STATE_DIR must be a folder.*{folder}.*{says}"):
        start(folder, FACTS, 5000, SILENT)


def test_folder_that_is_read_only_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "open", fail_with(errno.EROFS))
    with pytest.raises(TelemetryError, match="STATE_DIR must be a folder that can be written to"):
        Slots(tmp_path, LAYOUT).claim()


def take_away(file: Path) -> None:
    file.unlink()


def take_the_folder_away(file: Path) -> None:
    shutil.rmtree(file.parent)


def replace_by_another(file: Path) -> None:
    take_away(file)
    file.write_bytes(b"\0" * SIZE)


def truncate(file: Path) -> None:
    os.truncate(file, 8)


@pytest.mark.parametrize(
    ("happen", "says"),
    [
        (take_away, "cannot be reached any more: No such file"),
        (take_the_folder_away, "cannot be reached any more: No such file"),
        (replace_by_another, "was replaced by another file"),
        (truncate, "has 8 bytes instead of"),
        (make_sparse, "has lost blocks"),
    ],
)
def test_what_is_counted_in_vain_is_said(
    tmp_path: Path, happen: Callable[[Path], None], says: str
) -> None:
    slot = Slots(tmp_path / "state", LAYOUT).claim()
    assert slot.why_not_writable() is None
    [file] = (tmp_path / "state").iterdir()
    happen(file)
    assert says in (slot.why_not_writable() or "")
    slot.release()


def test_slot_that_was_given_back_is_said(tmp_path: Path) -> None:
    """A process that is stopping may still be asked whether it is ready."""
    slot = Slots(tmp_path, LAYOUT).claim()
    slot.release()
    assert "cannot be reached any more" in (slot.why_not_writable() or "")


def test_folder_that_became_read_only_is_said(
    recorded: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert recorded.why_not_writable() is None
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "STATE_DIR is not writable any more" in (recorded.why_not_writable() or "")


def test_file_system_that_does_not_report_blocks_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some that compress say of a file of zeros that it has no blocks."""
    monkeypatch.setattr(os, "posix_fallocate", lambda file, _, size: os.ftruncate(file, size))
    slot = Slots(tmp_path, LAYOUT).claim()
    assert slot.why_not_writable() is None
    slot.release()
