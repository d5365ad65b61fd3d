"""What only the end-to-end tests need beside tests/lab/fixtures.py."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.redis import Redis


@pytest.fixture
def black_hole() -> Iterator[str]:
    """The address of a socket that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A real Redis."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed (.ci/run installs it)")
    with Redis(program, tmp_path / "redis") as redis:
        yield redis.url
