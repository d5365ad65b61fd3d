"""scikit-learn's preprocessing as exact graphs: the same operations in 64 bits, in the same order.

A frame is one matrix of numbers. A column of texts holds each text's place in its `words`, as the
scorer's rows do; a missing value is NaN everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from onnx import TensorProto
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

from model.data.dataset import Column
from model.onnx.builder import GraphBuilder
from model.serving.scorer import INPUT

# Stand for a missing value and for one that is in no list; no column holds such numbers.
_MISSING: Final = -1.5e308
_NEVER: Final = -1.7e308


class Unsupported(Exception):
    """What the project has no exact graph for; the message names it."""


@dataclass(frozen=True)
class Frame:
    """A matrix (n, columns) and the words of each column; None where it holds numbers.

    `names` are those of the table's own columns, None behind a first step.
    """

    tensor: str
    words: tuple[tuple[object, ...] | None, ...]
    names: tuple[str, ...] | None = None

    @property
    def is_numeric(self) -> bool:
        """True where no column holds texts."""
        return all(words is None for words in self.words)


Foreign = Callable[[GraphBuilder, Any, Frame], Frame]


def input_frame(columns: Sequence[Column]) -> Frame:
    """The scorer's rows."""
    names = tuple(column.name for column in columns)
    return Frame(INPUT, tuple(column.categories for column in columns), names)


def transform(builder: GraphBuilder, step: Any, frame: Frame, foreign: Foreign) -> Frame:
    """The frame after a fitted transformer; `foreign` is asked where there is no exact graph."""
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return frame
    if type(step) is Pipeline:
        for _, inner in step.steps:
            frame = transform(builder, inner, frame, foreign)
        return frame
    if type(step) is ColumnTransformer:
        return _transform_columns(builder, step, frame, foreign)
    if type(step) is FeatureUnion and not step.transformer_weights:
        parts = [transform(builder, one, frame, foreign) for _, one in step.transformer_list]
        return _join(builder, parts)
    own = _OWN.get(type(step))
    try:
        if own is not None:
            return own(builder, step, frame)
    except Unsupported:
        pass
    return foreign(builder, step, frame)


def _transform_columns(
    builder: GraphBuilder, step: ColumnTransformer, frame: Frame, foreign: Foreign
) -> Frame:
    parts = []
    for name, inner, _ in step.transformers_:
        indices = _locate(step, list(step._transformer_to_input_indices[name]), frame, inner)
        if not indices or (isinstance(inner, str) and inner == "drop"):
            continue
        words = tuple(frame.words[index] for index in indices)
        part = Frame(builder.select(frame.tensor, indices), words)
        parts.append(transform(builder, inner, part, foreign))
    if step.transformer_weights or not parts:
        raise Unsupported("ColumnTransformer with weights or without columns")
    return _join(builder, parts)


def _locate(step: ColumnTransformer, indices: list[int], frame: Frame, inner: Any) -> list[int]:
    """Where a transformer's columns are: by name in a table, which lacks those that are dropped."""
    dropped = isinstance(inner, str) and inner == "drop"
    if dropped or frame.names is None or not hasattr(step, "feature_names_in_"):
        return indices
    return [frame.names.index(str(step.feature_names_in_[index])) for index in indices]


def _join(builder: GraphBuilder, parts: list[Frame]) -> Frame:
    words = tuple(words for part in parts for words in part.words)
    return Frame(builder.concat([part.tensor for part in parts]), words)


def _scale_standard(builder: GraphBuilder, step: StandardScaler, frame: Frame) -> Frame:
    return _shift_then_divide(builder, frame, step.mean_ if step.with_mean else None, step.scale_)


def _scale_robust(builder: GraphBuilder, step: RobustScaler, frame: Frame) -> Frame:
    center = step.center_ if step.with_centering else None
    return _shift_then_divide(builder, frame, center, step.scale_ if step.with_scaling else None)


def _scale_max_abs(builder: GraphBuilder, step: MaxAbsScaler, frame: Frame) -> Frame:
    if getattr(step, "clip", False):
        raise Unsupported("MaxAbsScaler that clips")
    return _shift_then_divide(builder, frame, None, step.scale_)


def _scale_min_max(builder: GraphBuilder, step: MinMaxScaler, frame: Frame) -> Frame:
    tensor = builder.add("Mul", _numbers(frame, step), builder.constant(step.scale_))
    tensor = builder.add("Add", tensor, builder.constant(step.min_))
    if step.clip:
        low, high = (builder.constant(np.array(bound)) for bound in step.feature_range)
        missing = builder.add("IsNaN", tensor)
        # Min and Max of ONNX Runtime may lose a NaN.
        clipped = builder.add("Clip", tensor, low, high)
        tensor = builder.add("Where", missing, tensor, clipped)
    return Frame(tensor, frame.words)


def _shift_then_divide(builder: GraphBuilder, frame: Frame, shift: Any, scale: Any) -> Frame:
    tensor = _numbers(frame, "a scaler")
    if shift is not None:
        tensor = builder.add("Sub", tensor, builder.constant(shift))
    if scale is not None:
        tensor = builder.add("Div", tensor, builder.constant(scale))
    return Frame(tensor, frame.words)


def _impute(builder: GraphBuilder, step: SimpleImputer, frame: Frame) -> Frame:
    plain = _is_missing(step.missing_values) and not step.add_indicator
    statistics = list(step.statistics_)
    if not plain or any(_is_missing(value) for value in statistics):
        raise Unsupported("SimpleImputer with an indicator, another marker or empty columns")
    fills: list[float] = []
    words: list[tuple[object, ...] | None] = []
    for value, own in zip(statistics, frame.words, strict=True):
        if own is None:
            fills.append(float(value))
            words.append(own)
        else:
            known = own if value in own else (*own, value)
            fills.append(float(known.index(value)))
            words.append(known)
    missing = builder.add("IsNaN", frame.tensor)
    return Frame(builder.add("Where", missing, builder.constant(fills), frame.tensor), tuple(words))


def _encode_one_hot(builder: GraphBuilder, step: OneHotEncoder, frame: Frame) -> Frame:
    if any(one is not None for one in getattr(step, "infrequent_categories_", [None])):
        raise Unsupported("OneHotEncoder that joins infrequent categories")
    parts = []
    for index, categories in enumerate(step.categories_):
        flags = _flag(builder, frame, index, categories)
        drop = None if step.drop_idx_ is None else step.drop_idx_[index]
        if drop is not None:
            kept = [place for place in range(len(categories)) if place != drop]
            if not kept:
                continue
            flags = builder.select(flags, kept)
        parts.append(flags)
    size = sum(len(categories) for categories in step.categories_)
    if step.drop_idx_ is not None:
        size -= sum(drop is not None for drop in step.drop_idx_)
    return Frame(builder.concat(parts), (None,) * size)


def _encode_ordinal(builder: GraphBuilder, step: OrdinalEncoder, frame: Frame) -> Frame:
    if any(one is not None for one in getattr(step, "infrequent_categories_", [None])):
        raise Unsupported("OrdinalEncoder that joins infrequent categories")
    unknown = np.nan if step.unknown_value is None else float(step.unknown_value)
    parts = []
    for index, categories in enumerate(step.categories_):
        flags = _flag(builder, frame, index, categories)
        codes = [
            float(step.encoded_missing_value) if _is_missing(category) else float(code)
            for code, category in enumerate(categories)
        ]
        parts.append(_pick(builder, flags, codes, unknown))
    return Frame(builder.concat(parts), (None,) * len(parts))


def _pick(builder: GraphBuilder, flags: str, codes: list[float], unknown: float) -> str:
    """The code whose flag is 1; `unknown` where none is. Not a product: codes may be NaN."""
    chosen = builder.constant(np.full((1, 1), unknown))
    for place, code in enumerate(codes):
        flag = builder.cast(builder.select(flags, [place]), TensorProto.BOOL)
        chosen = builder.add("Where", flag, builder.constant([[code]]), chosen)
    return chosen


def _flag(builder: GraphBuilder, frame: Frame, index: int, categories: Any) -> str:
    """1 where the column holds the category, 0 elsewhere: a column for each category."""
    values = builder.select(frame.tensor, [index])
    missing = builder.add("IsNaN", values)
    values = builder.add("Where", missing, builder.constant([[_MISSING]]), values)
    words = frame.words[index]
    codes = [_code(category, words) for category in categories]
    same = builder.add("Equal", values, builder.constant([codes]))
    return builder.cast(same, TensorProto.DOUBLE)


def _code(category: object, words: tuple[object, ...] | None) -> float:
    if _is_missing(category):
        return _MISSING
    if words is not None:
        return float(words.index(category)) if category in words else _NEVER
    try:
        return float(category)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return _NEVER


def _keep(builder: GraphBuilder, step: FunctionTransformer, frame: Frame) -> Frame:
    if step.func is not None:
        raise Unsupported("FunctionTransformer with a function")
    return frame


def _numbers(frame: Frame, step: object) -> str:
    if not frame.is_numeric:
        name = step if isinstance(step, str) else type(step).__name__
        raise Unsupported(f"{name} of texts")
    return frame.tensor


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float | np.floating) and bool(np.isnan(value)))


_OWN: Final[dict[type, Callable[[GraphBuilder, Any, Frame], Frame]]] = {
    StandardScaler: _scale_standard,
    RobustScaler: _scale_robust,
    MaxAbsScaler: _scale_max_abs,
    MinMaxScaler: _scale_min_max,
    SimpleImputer: _impute,
    OneHotEncoder: _encode_one_hot,
    OrdinalEncoder: _encode_ordinal,
    FunctionTransformer: _keep,
}
