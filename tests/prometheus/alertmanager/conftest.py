"""The webhook that notifications are sent to."""

from __future__ import annotations

import pytest

from tests.lab.webhook import Webhook


@pytest.fixture
def inbox(webhook: Webhook) -> Webhook:
    """The common fixture under the name that these tests use."""
    return webhook
