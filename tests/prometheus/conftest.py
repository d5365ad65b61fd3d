"""The same real programs as the Collector's tests use."""

from __future__ import annotations

from tests.collector.conftest import collector, prometheus, started, tools

__all__ = ["collector", "prometheus", "started", "tools"]
