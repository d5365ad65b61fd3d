"""The real programs, as the Collector's tests use them."""

from __future__ import annotations

from tests.collector.conftest import started, tools

__all__ = ["started", "tools"]
