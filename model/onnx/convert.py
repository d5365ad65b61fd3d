"""A scikit-learn model made elsewhere, as an ONNX file that takes the card's rows.

Tried in this order, until one gives scikit-learn's scores on the sample and on the probes:

1. the project's own graphs alone, exact (columns.py, classifiers.py);
2. with skl2onnx for the parts that these do not know, in 64-bit floats;
3. with skl2onnx in 32-bit floats.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from model.data.dataset import Column, Floats
from model.onnx.builder import GraphBuilder
from model.onnx.classifiers import Compiler
from model.onnx.columns import Frame, Unsupported, input_frame
from model.onnx.errors import NotConverted
from model.onnx.foreign import Converter
from model.onnx.inspection import name_type
from model.onnx.parity import check_parity
from model.serving.errors import first_line


@dataclass(frozen=True)
class Converted:
    """The file, the way that led to it, and its largest difference from scikit-learn."""

    onnx: bytes
    way: str
    difference: float


def convert(
    model: Any,
    columns: Sequence[Column],
    fraud_is_second: bool,
    features: Floats,
    probability: Floats,
) -> Converted:
    """The first way whose scores on `features` equal `probability`; else NotConverted with all
    reasons."""
    reasons: dict[str, str] = {}
    for way, converter in _list_ways():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # A converter's own, about its own future.
                file = write_onnx(model, columns, fraud_is_second, converter)
            return Converted(file, way, check_parity(file, features, probability))
        except Exception as error:  # A converter raises whatever it stumbles over.
            reasons.setdefault(first_line(error)[:200], way)
    listed = "; ".join(f"{way}: {reason}" for reason, way in reasons.items())
    raise NotConverted(f"{name_type(model)} cannot be converted to ONNX ({listed})")


def write_onnx(
    model: Any, columns: Sequence[Column], fraud_is_second: bool, converter: Converter | None
) -> bytes:
    """The model file; without a converter by exact graphs alone, else Unsupported."""
    builder = GraphBuilder(len(columns))
    if converter is None:
        compiler = Compiler(builder, _refuse_transformer, _refuse_classifier)
    else:
        compiler = Compiler(builder, converter.transformer, converter.classifier)
    probability = compiler.probability(model, input_frame(columns))
    if not fraud_is_second:
        probability = builder.add("Sub", builder.constant([[1.0]]), probability)
    return builder.finish(probability)


def _list_ways() -> list[tuple[str, Converter | None]]:
    return [
        ("the project's own graph", None),
        ("the project's own graph with skl2onnx, 64 bits", Converter(single=False)),
        ("the project's own graph with skl2onnx, 32 bits", Converter(single=True)),
    ]


def _refuse_transformer(builder: GraphBuilder, step: Any, frame: Frame) -> NoReturn:
    raise Unsupported(f"there is no exact graph for {type(step).__name__}")


def _refuse_classifier(builder: GraphBuilder, model: Any, frame: Frame) -> NoReturn:
    raise Unsupported(f"there is no exact graph for {type(model).__name__}")
