"""Counts in shared memory: one file a worker, kept when the worker dies.

A worker claims a free slot by locking its file; the lock goes with the process, however it ends.
The next worker that claims the slot counts on from what it finds, so counters never fall, nothing
that was counted is lost with a killed worker, whose slot is claimed first, and the number of slots
stays bounded. Only the holder writes to a slot; everybody may read all of them.

The blocks of a slot are allocated when it is claimed. A write to shared memory whose block the file
system cannot give is no error that could be handled: the process is killed (SIGBUS).
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import time
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from telemetry.errors import TelemetryError
from telemetry.store.layout import CREATED, IN_FLIGHT, LAST_OUTCOME, PID, WINDOW_STAMPS, Layout
from telemetry.store.slot_file import SlotFile, allocate

Cells = NDArray[np.float64]
_CELL = 8
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Slot:
    """A slot held by this process; hold `lock` while changing `cells`."""

    index: int
    cells: memoryview[float]
    lock: Lock
    _file: SlotFile

    @property
    def name(self) -> str:
        """Unique in its folder; of another layout's slot it is another."""
        return self._file.path.name

    def why_not_writable(self) -> str | None:
        """One sentence if what is counted here would be lost, or seen by no other worker."""
        return self._file.why_not_writable()

    def release(self) -> None:
        """Give the slot back once nobody in this process can count into it; its counts stay."""
        self.cells[PID] = 0
        # The mapped memory holds the lock too, until it is dropped: at the latest with the process.
        os.close(self._file.descriptor)


class Slots:
    """All slots of one service, files of the same layout in one folder.

    Raises TelemetryError where the folder cannot be made.
    """

    def __init__(self, folder: Path, layout: Layout) -> None:
        self._folder = folder
        self._layout = layout
        self._bytes = layout.size * _CELL
        self._readable: dict[int, Cells] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._explain(error) from error

    def claim(self) -> Slot:
        """The slot of a worker that died, or the lowest free one, its counts as its last holder
        left them.

        Raises TelemetryError where the folder cannot hold the counts: full, or not writable.
        """
        try:
            return self._claim()
        except OSError as error:
            raise self._explain(error) from error

    def reserve(self, index: int) -> None:
        """Allocate the slot for a worker that comes later, when the disk may be full.

        Raises TelemetryError as `claim` does.
        """
        try:
            descriptor = self._try_lock(index)
            if descriptor is None:
                return
            try:
                allocate(self._path(index), descriptor, self._bytes)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise self._explain(error) from error

    def read(self) -> dict[int, Cells]:
        """Live views of all slots, by index; a view changes as its holder counts."""
        index = 0
        while index in self._readable or self._path(index).exists():
            if index not in self._readable and (cells := self._map_to_read(index)) is not None:
                self._readable[index] = cells
            index += 1
        # A copy: another thread may find a new slot while this one goes through them.
        return dict(self._readable)

    def find_first_alive(self) -> int | None:
        """The lowest of the slots whose holder lives."""
        living = (index for index, cells in self.read().items() if is_alive(cells))
        return min(living, default=None)

    def _claim(self) -> Slot:
        # Who died has not pushed its last counts, and nobody else would.
        not_released = sorted(index for index, cells in self.read().items() if cells[PID])
        tried = ((index, self._try_lock(index)) for index in chain(not_released, count()))
        index, descriptor = next((index, lock) for index, lock in tried if lock is not None)
        return self._open(index, descriptor)

    def _path(self, index: int) -> Path:
        # The layout is in the name: a service with other labels begins with slots of its own.
        return self._folder / f"counts-{self._layout.digest}-{index}"

    def _try_lock(self, index: int) -> int | None:
        descriptor = os.open(self._path(index), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                return None
            raise
        return descriptor

    def _open(self, index: int, descriptor: int) -> Slot:
        try:
            file = allocate(self._path(index), descriptor, self._bytes)
            cells = memoryview(mmap.mmap(descriptor, self._bytes)).cast("d")
        except OSError:
            os.close(descriptor)
            raise
        if cells[CREATED] == 0:
            cells[CREATED] = time.time()
        cells[PID] = os.getpid()
        # What a dead worker had in flight was never answered, and its window is past.
        for offset in (IN_FLIGHT, *range(WINDOW_STAMPS, LAST_OUTCOME)):
            cells[offset] = 0
        return Slot(index, cells, Lock(), file)

    def _map_to_read(self, index: int) -> Cells | None:
        """None while its first holder has not allocated it yet, which hides none behind it."""
        try:
            with self._path(index).open("rb") as file:
                if os.fstat(file.fileno()).st_size != self._bytes:
                    return None
                shared = mmap.mmap(file.fileno(), self._bytes, prot=mmap.PROT_READ)
        except FileNotFoundError:
            return None
        return np.frombuffer(shared, dtype=np.float64)

    def _explain(self, error: OSError) -> TelemetryError:
        if error.errno in _FULL:
            return TelemetryError(
                f"STATE_DIR has no space left: {self._folder} must hold {self._bytes} bytes of"
                " counters for each worker"
            )
        reason = error.strerror or str(error)
        return TelemetryError(
            f"STATE_DIR must be a folder that can be written to, got {str(self._folder)!r}:"
            f" {reason}"
        )


def is_alive(cells: Cells) -> bool:
    """True while the process that holds the slot exists (its counts stay valid after it)."""
    pid = int(cells[PID])
    if pid <= 0:  # Nobody's: for `kill` it would be this process' own group.
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
