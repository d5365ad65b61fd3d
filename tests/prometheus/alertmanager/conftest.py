"""A webhook."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.inbox import Inbox, listening


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with listening() as inbox:
        yield inbox
