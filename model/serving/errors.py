"""What can be wrong with a model or with the data that it is made from."""

from __future__ import annotations


class ModelError(Exception):
    """One sentence for the operator: a missing, damaged or foreign artifact, or unusable data."""


class NotAllowed(ModelError):
    """A version that is served from joblib, where that was not allowed."""


def first_line(error: Exception) -> str:
    """The first line of what an error says; its kind where it says nothing."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[0]
