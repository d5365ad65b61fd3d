"""Counts in shared memory: one file a worker, kept when the worker dies.

A worker claims the lowest free slot by locking its file; the lock goes with the process, however
it ends. The next worker that claims the slot counts on from what it finds, so counters never fall,
nothing that was counted is lost with a killed worker, and the number of slots stays bounded. Only
the holder writes to a slot; everybody may read all of them.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from telemetry.store.layout import CREATED, IN_FLIGHT, LAST_NOTE, PID, WINDOW_STAMPS, Layout

Cells = NDArray[np.float64]
_CELL = 8


@dataclass(frozen=True)
class Slot:
    """A slot held by this process; hold `lock` while changing `cells`."""

    index: int
    cells: memoryview[float]
    lock: Lock
    _file: int

    def release(self) -> None:
        """Give the slot back; its counts stay in the file."""
        os.close(self._file)


class Slots:
    """All slots of one service, files of the same layout in one folder."""

    def __init__(self, folder: Path, layout: Layout) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._layout = layout
        self._bytes = layout.size * _CELL
        self._readable: dict[int, Cells] = {}

    def claim(self) -> Slot:
        """The lowest free slot, its counts as its last holder left them."""
        index = 0
        while True:
            file = self._lock(index)
            if file is not None:
                return self._opened(index, file)
            index += 1

    def read(self) -> dict[int, Cells]:
        """Live views of all slots, by index; a view changes as its holder counts."""
        index = len(self._readable)
        while (cells := self._view(index)) is not None:
            self._readable[index] = cells
            index += 1
        return self._readable

    def _path(self, index: int) -> Path:
        # The layout is in the name: a service with other labels begins with slots of its own.
        return self._folder / f"counts-{self._layout.digest}-{index}"

    def _lock(self, index: int) -> int | None:
        file = os.open(self._path(index), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        return file

    def _opened(self, index: int, file: int) -> Slot:
        if os.fstat(file).st_size != self._bytes:
            os.ftruncate(file, 0)
            os.ftruncate(file, self._bytes)
        cells = memoryview(mmap.mmap(file, self._bytes)).cast("d")
        if cells[CREATED] == 0:
            cells[CREATED] = time.time()
        cells[PID] = os.getpid()
        # What a dead worker had in flight was never answered, and its window is past.
        for offset in (IN_FLIGHT, *range(WINDOW_STAMPS, LAST_NOTE)):
            cells[offset] = 0
        return Slot(index, cells, Lock(), file)

    def _view(self, index: int) -> Cells | None:
        try:
            with self._path(index).open("rb") as file:
                if os.fstat(file.fileno()).st_size != self._bytes:
                    return None
                shared = mmap.mmap(file.fileno(), self._bytes, prot=mmap.PROT_READ)
        except FileNotFoundError:
            return None
        return np.frombuffer(shared, dtype=np.float64)


def is_alive(cells: Cells) -> bool:
    """True while the process that holds the slot exists (its counts stay valid after it)."""
    try:
        os.kill(int(cells[PID]), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
