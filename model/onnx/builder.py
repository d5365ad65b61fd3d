"""Writing an ONNX graph node by node, all numbers in 64 bits, from INPUT to OUTPUT."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper
from onnx.numpy_helper import from_array

from model.serving.scorer import INPUT, OUTPUT

IR_VERSION: Final = 8
# ai.onnx.ml 5: the first whose trees have thresholds, leaves and results in 64 bits.
OPSETS: Final[dict[str, int]] = {"": 18, "ai.onnx.ml": 5}


class GraphBuilder:
    """Collects nodes and constants; every method gives the name of a tensor."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._opsets = dict(OPSETS)
        self._count = 0

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """A node of one output."""
        name = self._new_name(operator)
        node = helper.make_node(operator, list(inputs), [name], domain=domain, **attributes)
        self._nodes.append(node)
        return name

    def constant(self, values: npt.ArrayLike, dtype: npt.DTypeLike = np.float64) -> str:
        """A constant tensor."""
        name = self._new_name("constant")
        self._constants.append(from_array(np.asarray(values, dtype=dtype), name))
        return name

    def cast(self, tensor: str, kind: int) -> str:
        """The tensor in another type."""
        return self.add("Cast", tensor, to=kind)

    def round_to_single(self, tensor: str) -> str:
        """64-bit numbers that were rounded to 32 bits, as scikit-learn's trees see them."""
        return self.cast(self.cast(tensor, TensorProto.FLOAT), TensorProto.DOUBLE)

    def select(self, tensor: str, columns: list[int]) -> str:
        """Some columns of a matrix, in this order."""
        return self.add("Gather", tensor, self.constant(columns, np.int64), axis=1)

    def concat(self, tensors: list[str]) -> str:
        """Matrices side by side."""
        return tensors[0] if len(tensors) == 1 else self.add("Concat", *tensors, axis=1)

    def embed(self, model: onnx.ModelProto, inputs: dict[str, str], output: str) -> str:
        """Another model's graph, its inputs fed by our tensors; the name of one of its outputs."""
        prefix = self._new_name("foreign") + "_"
        graph = onnx.compose.add_prefix(model, prefix).graph
        for name, tensor in inputs.items():
            self._nodes.append(helper.make_node("Identity", [tensor], [prefix + name]))
        self._nodes.extend(graph.node)
        self._constants.extend(graph.initializer)
        for item in model.opset_import:
            self._opsets[item.domain] = max(item.version, self._opsets.get(item.domain, 0))
        return prefix + output

    def finish(self, probability: str) -> bytes:
        """The checked model file; `probability` (n, 1) becomes OUTPUT."""
        nodes = [*self._nodes, helper.make_node("Identity", [probability], [OUTPUT])]
        graph = helper.make_graph(
            nodes,
            "fraud",
            [helper.make_tensor_value_info(INPUT, TensorProto.DOUBLE, [None, self._columns])],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.DOUBLE, [None, 1])],
            self._constants,
        )
        opsets = [helper.make_opsetid(name, version) for name, version in self._opsets.items()]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        data: bytes = model.SerializeToString(deterministic=True)
        return data

    def _new_name(self, stem: str) -> str:
        self._count += 1
        return f"{stem.lower()}_{self._count}"
