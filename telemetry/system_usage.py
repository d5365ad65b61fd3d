"""How much of processor, memory and disk is in use: of the container where it has limits.

Reads cgroup v2 (what current container engines use); without limits there, the machine's figures.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import psutil

_CGROUP = Path("/sys/fs/cgroup")
# Processor use is a difference of two readings: much closer together they say nothing.
_SHORTEST_SECONDS = 1.0


@dataclass(frozen=True)
class Usage:
    """Percentages between 0 and 100."""

    cpu_percent: float
    memory_percent: float
    disk_percent: float


class ResourceReader:
    """Reads the usage; `disk` is the folder whose file system counts."""

    def __init__(self, disk: Path, cgroup: Path = _CGROUP) -> None:
        self._disk = disk
        self._cgroup = cgroup
        self._lock = Lock()
        self._cpu_percent = psutil.cpu_percent() if self._cpu_quota() is None else 0.0
        self._read_at = time.monotonic()
        self._used = self._cpu_seconds()

    def read(self) -> Usage:
        """The usage now; the processor's since the last reading at least a second ago."""
        with self._lock:
            return Usage(self._cpu(), self._memory(), self._disk_percent())

    def _cpu(self) -> float:
        now = time.monotonic()
        elapsed = now - self._read_at
        if elapsed < _SHORTEST_SECONDS:
            return self._cpu_percent
        quota = self._cpu_quota()
        if quota is None:
            self._cpu_percent = psutil.cpu_percent()
        else:
            used = self._cpu_seconds()
            self._cpu_percent = min(100.0, 100.0 * (used - self._used) / (elapsed * quota))
            self._used = used
        self._read_at = now
        return self._cpu_percent

    def _cpu_quota(self) -> float | None:
        """Processors that the container may use, None without a limit."""
        words = (self._text("cpu.max") or "max").split()
        if words[0] == "max":
            return None
        return int(words[0]) / int(words[1])

    def _cpu_seconds(self) -> float:
        for line in (self._text("cpu.stat") or "").splitlines():
            name, _, value = line.partition(" ")
            if name == "usage_usec":
                return int(value) / 1e6
        return 0.0

    def _memory(self) -> float:
        limit = (self._text("memory.max") or "max").strip()
        current = self._text("memory.current")
        if limit == "max" or current is None:
            return float(psutil.virtual_memory().percent)
        # Pages of files that were read once are given up under pressure: they are not in use.
        used = int(current) - self._inactive_file_bytes()
        return min(100.0, 100.0 * max(used, 0) / int(limit))

    def _inactive_file_bytes(self) -> int:
        for line in (self._text("memory.stat") or "").splitlines():
            name, _, value = line.partition(" ")
            if name == "inactive_file":
                return int(value)
        return 0

    def _disk_percent(self) -> float:
        return float(psutil.disk_usage(str(self._disk)).percent)

    def _text(self, name: str) -> str | None:
        try:
            return (self._cgroup / name).read_text()
        except OSError:
            return None
