"""What the tests' own helpers promise: ports that nothing takes meanwhile, programs that end."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tests.lab.ports import free_port, free_row
from tests.lab.program import Program

EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


class NeverReady(Program):
    """Sleeps; `pid` is its process once it was asked."""

    ready_seconds = 0.3
    pid = 0

    def is_ready(self) -> bool:
        assert self.process is not None
        self.pid = self.process.pid
        return False


def test_no_port_is_given_twice_nor_may_become_a_connections_source() -> None:
    row = free_row(5)
    ports = {*range(row, row + 5), *(free_port() for _ in range(200))}

    assert len(ports) == 205
    if EPHEMERAL.exists():
        assert max(ports) < int(EPHEMERAL.read_text().split()[0])


def test_program_that_never_gets_ready_is_ended(tmp_path: Path) -> None:
    program = NeverReady(["sleep", "60"], tmp_path / "log", {})

    with pytest.raises(AssertionError, match="NeverReady is ready"), program:
        pytest.fail("it was entered")

    assert program.pid
    assert not psutil.pid_exists(program.pid)
