"""The model card: everything that is known about a published model, and its file `card.json`.

The request schema, `/model_info`, the drift baselines and the thresholds all follow the card.
A card names the SHA-256 of each file beside it, and its own version ends in the hash of its
content, so a changed file or a changed card is noticed when it is loaded.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import msgspec

from model.serving.errors import ModelError

CARD_FILE = "card.json"
ONNX_FILE = "model.onnx"
MODEL_FILE = "model.joblib"
SCALER_FILE = "scaler.joblib"
SCHEMA = 1

FeatureType = Literal["number", "integer", "boolean", "category"]
Format = Literal["onnx", "joblib"]
RowsAs = Literal["matrix", "table"]


class Histogram(msgspec.Struct, frozen=True):
    """Shares of the training rows per bin: the baseline that drift is measured against.

    Numbers: `edges` are the inner bounds, ascending; bin i holds edges[i-1] < value <= edges[i], so
    there is one share more than edges. Categories and booleans: no edges, a share per category
    (booleans: false, true). The shares and `missing` (the share of absent values) add up to 1.
    """

    edges: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()
    missing: float = 0.0


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a transaction.

    `minimum` and `maximum` bound what a request may say, inclusively (numbers and integers).
    `nullable`: null stands for a value that is not known. `quantiles`: minimum, nine deciles and
    maximum of the training rows. `distribution`: values, ascending, each with the share of the
    present training rows that are at most as large; denser in the tails than the quantiles, empty
    in cards of an earlier form. `importance`: share of the model's average precision that is lost
    when this column is shuffled, all features adding up to 1. `contribution`: its mean contribution
    to the holdout's scores, against the background rows; None in cards of an earlier form.
    `calendar`: its values follow the hour or the day of the week.
    """

    name: str
    type: FeatureType
    description: str = ""
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] | None = None
    nullable: bool = False
    importance: float = 0.0
    quantiles: tuple[float, ...] = ()
    baseline: Histogram = Histogram()
    distribution: tuple[tuple[float, float], ...] = ()
    contribution: float | None = None
    calendar: bool = False


class Cell(msgspec.Struct, frozen=True):
    """A part of the training rows that have alike scores.

    `share` of the rows; `ranks`: for each feature, in the card's order, the cell's quantiles (at
    the joint distribution's knots) of the values' ranks. A rank is the share of all training rows
    with a smaller value, what is missing coming first.
    """

    share: float
    ranks: tuple[tuple[float, ...], ...]


class JointDistribution(msgspec.Struct, frozen=True):
    """How the training rows' features go together: a mixture of Gaussian copulas.

    `knots`: the shares, from 0 to 1, that the cells' quantiles are of. `mixing`: the Cholesky
    factor, row by row, of the correlation within the cells; empty where there are too many
    features for it.
    """

    knots: tuple[float, ...]
    cells: tuple[Cell, ...]
    mixing: tuple[tuple[float, ...], ...] = ()


class RiskLevels(msgspec.Struct, frozen=True):
    """Lower bounds of the probability, inclusive; below `medium` the risk is low."""

    medium: float
    high: float


class UserTypes(msgspec.Struct, frozen=True):
    """A customer's type follows from one feature: lower bounds, inclusive; below both: basic."""

    feature: str
    premium_from: float
    standard_from: float


class ValueBand(msgspec.Struct, frozen=True):
    """A transaction's value is this feature; from `high_from` on, inclusive, its band is high."""

    feature: str
    high_from: float


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """Figures on the holdout: rows later than all training rows, never used to fit or choose.

    `mean_score` is the mean fraud probability; cards of an earlier form do not have it.
    """

    rows: int
    frauds: int
    accuracy: float
    precision: float
    recall: float
    f1_score: float
    average_precision: float
    roc_auc: float
    brier: float
    calibration_error: float
    recall_at_low_alarm: float
    alert_rate: float
    mean_score: float | None = None


class DataSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What the model was made from; `sha256` is that of the file, or of the generated columns.

    `training_rows`: what the model was fitted to that the figures are of. `refit_rows`: what the
    served model was fitted to after that, None where it is the one that was judged.
    """

    source: str
    sha256: str
    rows: int
    frauds: int
    training_rows: int
    target: str
    notes: tuple[str, ...] = ()
    refit_rows: int | None = None


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A published model. `version` is `<number>-<first 8 digits of the content's hash>`.

    `features` stand in the order of the scorer's columns. A probability from `threshold` on,
    inclusive, is predicted fraud. `intervals` holds 95 % bootstrap bounds by metric name,
    `segments` the figures of parts of the holdout ("user_type=premium"), `candidates` the average
    precision on the validation rows of every model that was tried. `calibration` is the sigmoid's
    slope and shift, where one is used. `format` is that of the served file: `joblib` where it could
    not be converted to ONNX; `rows_as` is then what the model takes, a matrix or a
    data frame, and `fraud_class` its label of fraud where that is not 1. `joint` is what made-up
    transactions are drawn from; cards of an earlier form do not have it.
    """

    schema: int
    version: str
    model_type: str
    features: tuple[Feature, ...]
    threshold: float
    threshold_rule: str
    risk_levels: RiskLevels
    metrics: Metrics
    data: DataSummary
    seed: int
    score_baseline: Histogram
    libraries: dict[str, str]
    files: dict[str, str]
    intervals: dict[str, tuple[float, float]] = {}
    segments: dict[str, Metrics] = {}
    candidates: dict[str, float] = {}
    calibration: tuple[float, float] | None = None
    user_types: UserTypes | None = None
    value_band: ValueBand | None = None
    format: Format = "onnx"
    rows_as: RowsAs | None = None
    fraud_class: str | None = None
    joint: JointDistribution | None = None


def hash_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_content(data: bytes) -> str:
    """First 8 hexadecimal digits of the SHA-256 of a card file's content without its version.

    Of the file's own content, so that a field which a later program adds changes no old hash.
    """
    content = msgspec.json.decode(data)
    content["version"] = ""
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()[:8]


def load_card(folder: Path) -> Card:
    """The card of the version published in `folder`; a ModelError says what is wrong with it."""
    path = folder / CARD_FILE
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"no model card can be read at {path} ({error.strerror});"
            " publish a model with 'python -m model train'"
        ) from error
    card = _decode_card(path, data)
    if not card.version.endswith("-" + hash_content(data)):
        raise ModelError(f"{path} was changed after it was published as {card.version}")
    if folder.name != card.version:
        raise ModelError(f"{path} belongs to version {card.version}, not to {folder.name}")
    return card


def read_checked(folder: Path, card: Card, name: str) -> bytes:
    """One of the card's files, its hash checked; else a ModelError.

    What was hashed is what is loaded: no other program can change it between check and use.
    """
    path = _find_file(folder, card, name)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != card.files[name]:
        raise ModelError(f"{path} is damaged: its SHA-256 is not the one in {CARD_FILE}")
    return data


def _find_file(folder: Path, card: Card, name: str) -> Path:
    path = folder / name
    if name not in card.files:
        raise ModelError(f"version {card.version} was published without {name}")
    if not path.is_file():
        raise ModelError(f"{path} is missing; publish the model again or roll back")
    return path


def _decode_card(path: Path, data: bytes) -> Card:
    try:
        card = msgspec.json.decode(data, type=Card)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is not a model card: {error}") from error
    if card.schema != SCHEMA:
        raise ModelError(f"{path} has schema {card.schema}, this program reads schema {SCHEMA}")
    return card
