"""How much of processor, memory and disk is in use: of the container where it has limits.

Reads cgroup v2 (what current container engines use); without limits there, the machine's figures.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import psutil

_CGROUP = Path("/sys/fs/cgroup")
# Processor use is a difference of two readings: much closer together they say nothing.
_SHORTEST_SECONDS = 1.0


@dataclass(frozen=True)
class SystemUsage:
    """Percentages between 0 and 100."""

    cpu_percent: float
    memory_percent: float
    disk_percent: float


class SystemUsageReader:
    """Reads the usage; `disk` is the folder whose file system counts."""

    def __init__(self, disk: Path, cgroup: Path = _CGROUP) -> None:
        self._disk = disk
        self._cgroup = cgroup
        self._lock = Lock()
        self._cpu_percent = psutil.cpu_percent() if self._read_cpu_quota() is None else 0.0
        self._read_at = time.monotonic()
        self._cpu_seconds_before = self._read_cpu_seconds()
        self._disk_percent = 0.0

    def read(self) -> SystemUsage:
        """The usage now; the processor's since the last reading at least a second ago."""
        with self._lock:
            return SystemUsage(
                self._read_cpu_percent(), self._read_memory_percent(), self._read_disk_percent()
            )

    def _read_cpu_percent(self) -> float:
        now = time.monotonic()
        elapsed = now - self._read_at
        if elapsed < _SHORTEST_SECONDS:
            return self._cpu_percent
        quota = self._read_cpu_quota()
        if quota is None:
            self._cpu_percent = psutil.cpu_percent()
        else:
            used = self._read_cpu_seconds()
            spent = used - self._cpu_seconds_before
            self._cpu_percent = min(100.0, 100.0 * spent / (elapsed * quota))
            self._cpu_seconds_before = used
        self._read_at = now
        return self._cpu_percent

    def _read_cpu_quota(self) -> float | None:
        """Processors that the container may use, None without a limit."""
        words = (self._read_text("cpu.max") or "max").split()
        if words[0] == "max":
            return None
        return int(words[0]) / int(words[1])

    def _read_cpu_seconds(self) -> float:
        return self._read_counter("cpu.stat", "usage_usec") / 1e6

    def _read_memory_percent(self) -> float:
        limit = (self._read_text("memory.max") or "max").strip()
        current = self._read_text("memory.current")
        if limit == "max" or current is None:
            return float(psutil.virtual_memory().percent)
        # Pages of files that were read once are given up under pressure: they are not in use.
        used = int(current) - self._read_counter("memory.stat", "inactive_file")
        return min(100.0, 100.0 * max(used, 0) / int(limit))

    def _read_counter(self, file: str, name: str) -> int:
        """One number of a file of `name value` lines; 0 where it is missing."""
        for line in (self._read_text(file) or "").splitlines():
            found, _, value = line.partition(" ")
            if found == name:
                return int(value)
        return 0

    def _read_disk_percent(self) -> float:
        # A folder that was taken away must not make /health fail: the last value stays.
        with suppress(OSError):
            self._disk_percent = float(psutil.disk_usage(str(self._disk)).percent)
        return self._disk_percent

    def _read_text(self, name: str) -> str | None:
        try:
            return (self._cgroup / name).read_text()
        except OSError:
            return None
