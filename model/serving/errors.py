"""What can be wrong with a model or with the data that it is made from."""

from __future__ import annotations


class ModelError(Exception):
    """One sentence for the operator: a missing, damaged or foreign artifact, or unusable data."""


class NotConverted(ModelError):
    """A model that no way leads from to ONNX; the sentence holds each way's reason."""


class NotAllowed(ModelError):
    """A version that is served from joblib, where that was not allowed."""
