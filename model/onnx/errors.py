"""Why a model made elsewhere has no ONNX file."""

from __future__ import annotations

from model.serving.errors import ModelError


class NotConverted(ModelError):
    """A model that no way leads from to ONNX; the sentence holds each way's reason."""


class OutOfTime(ModelError):
    """What was stopped because its time ran out."""
