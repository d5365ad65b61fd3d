"""From a command's options to what it works on: rows, their layout, the threshold's rule.

pandas is imported inside: commands about the registry also run where it is not.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from model.serving.card import Card
from model.serving.errors import ModelError
from model.training.evaluation import Rows, make_synthetic_rows, read_file_rows
from model.training.threshold import AlertRateRule, CostRule, PrecisionRule, Rule

if TYPE_CHECKING:
    from model.data.dataset import Dataset
    from model.data.files import Reading
    from model.data.tables import Layout

Progress = Callable[[str], None]
# About a file alone, and off unless they are stated.
FILE_OPTIONS: Final = (
    "target",
    "time",
    "drop",
    "value",
    "label_delay",
    "positive",
    "time_format",
    "text",
    "thousands",
    "missing",
    "unit",
)


def load_training_data(options: Namespace, progress: Progress) -> Dataset:
    """The rows of `train`: those of --data, else synthetic ones."""
    if options.data is None:
        from model.data.dataset import make_synthetic_dataset

        _refuse_table_options(options)
        progress(f"making {options.rows:,} synthetic rows")
        return make_synthetic_dataset(options.rows, options.seed)
    from model.data.tables import load_dataset

    progress(f"reading {options.data}")
    layout = _read_layout(options)
    layout = replace(layout, label_delay=options.label_delay, holdout=options.holdout)
    layout = replace(layout, refit=options.refit)
    return load_dataset(options.data, layout)


def load_rows(options: Namespace, card: Card) -> Rows:
    """The rows of `evaluate`, in the card's columns."""
    if options.data is None:
        return make_synthetic_rows(card, options.rows, options.seed)
    return read_file_rows(
        card, options.data, _require_target(options), options.positive, read_reading(options)
    )


def load_sample(
    options: Namespace, columns_used: Sequence[str] | None, progress: Progress
) -> Dataset:
    """The sample of `import`, every row of which describes and judges; of its columns those that
    the model looks at, where these have names."""
    from model.data.tables import load_dataset

    progress(f"reading {options.data}")
    only = None if columns_used is None else tuple(columns_used)
    return load_dataset(options.data, replace(_read_layout(options), whole=True, only=only))


def choose_rule(options: Namespace) -> Rule:
    """The rule that the threshold is chosen by; least cost where none is stated."""
    if options.precision is not None:
        return PrecisionRule(options.precision)
    if options.alert_rate is not None:
        return AlertRateRule(options.alert_rate)
    return CostRule() if options.cost_ratio is None else CostRule(options.cost_ratio)


def _read_layout(options: Namespace) -> Layout:
    """Which columns of the file are what."""
    from model.data.tables import Layout

    return Layout(
        target=_require_target(options),
        time=options.time,
        drop=tuple(options.drop),
        value=options.value,
        positive=options.positive,
        time_format=options.time_format,
        text=tuple(options.text),
        most_categories=options.most_categories,
        reading=read_reading(options),
    )


def read_reading(options: Namespace) -> Reading:
    """How the file is written."""
    from model.data.files import Reading

    return Reading(
        separator=options.separator,
        encoding=options.encoding,
        decimal=options.decimal,
        thousands=options.thousands,
        missing=None if options.missing is None else tuple(filter(None, options.missing)),
        units=tuple(options.unit),
    )


def _require_target(options: Namespace) -> str:
    if options.target is None:
        raise ModelError("--data needs --target, the column that holds 1 for fraud and 0 for not")
    target: str = options.target
    return target


def _refuse_table_options(options: Namespace) -> None:
    """Options about a file would be silently without effect when there is no file."""
    for name in FILE_OPTIONS:
        if getattr(options, name):
            raise ModelError(
                f"--{name.replace('_', '-')} is about a file; name it with --data FILE"
            )
