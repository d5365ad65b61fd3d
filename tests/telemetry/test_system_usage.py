"""Usage of the container where it has limits, else of the machine."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from telemetry.system_usage import SystemUsageReader


@pytest.fixture
def cgroup(tmp_path: Path) -> Path:
    """Two processors of quota; 1000 bytes of memory, of which 100 are cache."""
    folder = tmp_path / "cgroup"
    folder.mkdir()
    (folder / "cpu.max").write_text("200000 100000\n")
    (folder / "cpu.stat").write_text("usage_usec 1000000\nuser_usec 1\n")
    (folder / "memory.max").write_text("1000\n")
    (folder / "memory.current").write_text("600\n")
    (folder / "memory.stat").write_text("anon 500\ninactive_file 100\n")
    return folder


def test_memory_is_that_of_the_container_without_its_cache(tmp_path: Path, cgroup: Path) -> None:
    assert SystemUsageReader(tmp_path, cgroup).read().memory_percent == 50


def test_processor_is_that_of_the_quota(
    tmp_path: Path, cgroup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two seconds of processor time in two seconds, of two processors: half."""
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    reader = SystemUsageReader(tmp_path, cgroup)
    (cgroup / "cpu.stat").write_text("usage_usec 3000000\n")
    now = 102.0
    assert reader.read().cpu_percent == 50


@pytest.mark.parametrize("limit", ["max 100000", ""], ids=["no limit", "no cgroup"])
def test_without_a_limit_it_is_the_machines(tmp_path: Path, limit: str) -> None:
    folder = tmp_path / "cgroup"
    if limit:
        folder.mkdir()
        (folder / "cpu.max").write_text(limit)
        (folder / "memory.max").write_text("max")
    usage = SystemUsageReader(tmp_path, folder).read()
    assert 0 < usage.memory_percent < 100
    assert 0 <= usage.cpu_percent <= 100


def test_folder_that_is_taken_away_keeps_its_last_value(tmp_path: Path) -> None:
    """Else /health and /metrics would fail with it."""
    folder = tmp_path / "state"
    folder.mkdir()
    reader = SystemUsageReader(folder)
    before = reader.read().disk_percent
    shutil.rmtree(folder)
    assert reader.read().disk_percent == before > 0
