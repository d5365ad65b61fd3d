"""What can be wrong with a model or with the data that it is made from."""

from __future__ import annotations


class ModelError(Exception):
    """One sentence for the operator: a missing, damaged or foreign artifact, or unusable data."""
