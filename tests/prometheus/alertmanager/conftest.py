"""The built programs and a webhook."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.inbox import Inbox, listening
from tests.lab.tools import tools_folder


@pytest.fixture(scope="session")
def tools() -> Path:
    return tools_folder()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with listening() as inbox:
        yield inbox
