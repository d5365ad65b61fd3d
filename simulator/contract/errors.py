"""What stops the simulator before or instead of sending."""

from __future__ import annotations


class TargetError(Exception):
    """The target was not reached, or is no scoring service: one sentence for the operator."""
