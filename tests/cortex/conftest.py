"""What starts real nodes: the program is built by those tests alone that are marked `cortex`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.cortex import cortex_tools


@pytest.fixture(scope="session")
def cortex_folder() -> Path:
    """The folder with the program `cortex`."""
    return cortex_tools()
