"""Parts of a graph that skl2onnx writes: whatever the project has no exact graph for.

Never anything with trees inside: that converter rounds thresholds to 32 bits and loses which way a
missing value goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx.numpy_helper import from_array
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

from model.onnx.builder import GraphBuilder
from model.onnx.columns import Frame, Unsupported
from model.onnx.inspection import holds_trees

_TARGET: dict[str, int] = {"": 18, "ai.onnx.ml": 3}


@dataclass(frozen=True)
class Converter:
    """skl2onnx with 64-bit floats, or with 32-bit ones for what it knows only so."""

    single: bool

    def transformer(self, builder: GraphBuilder, step: Any, frame: Frame) -> Frame:
        """The columns after a transformer."""
        model = self._convert(step, frame, None)
        [output] = [item.name for item in model.graph.output]
        tensor = builder.embed(model, self._feed(builder, frame), output)
        width = model.graph.output[0].type.tensor_type.shape.dim[1].dim_value
        known = width or len(step.get_feature_names_out())
        return Frame(builder.cast(tensor, TensorProto.DOUBLE), (None,) * known)

    def classifier(self, builder: GraphBuilder, model: Any, frame: Frame) -> str:
        """The probability of the second class."""
        converted = self._convert(model, frame, {id(model): {"zipmap": False}})
        scores = next(item.name for item in converted.graph.output if "probabilit" in item.name)
        tensor = builder.embed(converted, self._feed(builder, frame), scores)
        return builder.cast(builder.select(tensor, [1]), TensorProto.DOUBLE)

    def _convert(self, part: Any, frame: Frame, options: Any) -> onnx.ModelProto:
        if holds_trees(part):
            raise Unsupported(
                f"{type(part).__name__} holds trees, which only the project's own graphs keep exact"
            )
        floats = FloatTensorType if self.single else DoubleTensorType
        if frame.is_numeric:
            kinds = [("matrix", floats([None, len(frame.words)]))]
        else:
            kinds = [
                (name, floats([None, 1]) if words is None else StringTensorType([None, 1]))
                for name, words in zip(_name_columns(frame), frame.words, strict=True)
            ]
        model: onnx.ModelProto = to_onnx(
            part, initial_types=kinds, options=options, target_opset=_TARGET
        )
        nodes = list(_replace_imputers(model.graph.node))
        del model.graph.node[:]
        model.graph.node.extend(nodes)
        return model

    def _feed(self, builder: GraphBuilder, frame: Frame) -> dict[str, str]:
        """The tensors that the converted part takes, by its names for them."""
        kind = TensorProto.FLOAT if self.single else TensorProto.DOUBLE
        if frame.is_numeric:
            return {"matrix": builder.cast(frame.tensor, kind)}
        fed = {}
        for index, words in enumerate(frame.words):
            column = builder.select(frame.tensor, [index])
            if words is None:
                fed[f"column_{index}"] = builder.cast(column, kind)
            else:
                codes = builder.cast(column, TensorProto.INT64)
                texts = builder.constant(np.array(words, dtype=object), object)
                fed[f"column_{index}"] = builder.add("Gather", texts, codes, axis=0)
        return fed


def _name_columns(frame: Frame) -> Sequence[str]:
    return [f"column_{index}" for index in range(len(frame.words))]


def _replace_imputers(nodes: Sequence[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """ONNX Runtime fills missing values in 32 bits only; the same by nodes that it has in 64."""
    for number, node in enumerate(nodes):
        given = {item.name: helper.get_attribute_value(item) for item in node.attribute}
        if node.op_type != "Imputer" or not np.isnan(given.get("replaced_value_float", 0.0)):
            yield node
            continue
        missing, fill, typed = (f"own_{name}_{number}" for name in ("missing", "fill", "typed"))
        values = from_array(np.array([given["imputed_value_floats"]], dtype=np.float64))
        yield helper.make_node("IsNaN", node.input, [missing])
        yield helper.make_node("Constant", [], [fill], value=values)
        yield helper.make_node("CastLike", [fill, node.input[0]], [typed])
        yield helper.make_node("Where", [missing, typed, node.input[0]], node.output)
