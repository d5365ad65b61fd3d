"""What stops the simulator before or instead of sending.

SimulatorError
├── TargetError   the target cannot be reached, or is no scoring service
└── ReplayError   a table cannot be replayed
"""

from __future__ import annotations


class SimulatorError(Exception):
    """One sentence for the operator."""


class TargetError(SimulatorError):
    """The target cannot be reached, or is no scoring service."""


class ReplayError(SimulatorError):
    """A table cannot be replayed; names file, row and column."""
