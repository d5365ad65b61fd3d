"""A model as its service describes it: the part of `GET /model_info` that traffic is built from."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.contract.vocabulary import BASIC, INTEGER, NUMBER, PREMIUM, STANDARD


@dataclass(frozen=True)
class Feature:
    """One field of a transaction; `quantiles`: minimum, deciles, maximum of training, or empty.

    `edges` and `shares`: the training rows in bins, edges[i-1] < value <= edges[i], or one share
    per category (false, true for a boolean); empty where the service does not say. `distribution`:
    values, ascending, each with the share of the present training rows up to it, or empty.
    `missing`: share of the training rows without a value. A category always has categories.
    """

    name: str
    type: str
    minimum: float | None
    maximum: float | None
    categories: tuple[str, ...]
    quantiles: tuple[float, ...]
    edges: tuple[float, ...]
    shares: tuple[float, ...]
    missing: float
    nullable: bool
    importance: float = 0.0
    distribution: tuple[tuple[float, float], ...] = ()

    @property
    def is_numeric(self) -> bool:
        """True where a value can be too small or too large."""
        return self.type in (NUMBER, INTEGER)


@dataclass(frozen=True)
class UserTypeRule:
    """A customer's type follows from one feature: lower bounds, inclusive; below both: basic."""

    feature: str
    premium_from: float
    standard_from: float

    def classify(self, value: float) -> str:
        """The user type of a customer with this value of the feature."""
        if value >= self.premium_from:
            return PREMIUM
        return STANDARD if value >= self.standard_from else BASIC


@dataclass(frozen=True)
class Cell:
    """A part of the training rows: its share, and for each feature the quantiles of its ranks."""

    share: float
    ranks: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class JointDistribution:
    """How the features go together: cells, the shares (`knots`) that their quantiles are of, and
    the Cholesky factor of the correlation within them (`mixing`), which may be empty."""

    knots: tuple[float, ...]
    cells: tuple[Cell, ...]
    mixing: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class ModelInfo:
    """The request schema of the target's model; `features` is never empty.

    `joint`: None where the service does not say how the features go together.

    `holdout_rows`, `holdout_frauds`: what the model was judged on; 0 where the service does not
    say.
    """

    version: str
    features: tuple[Feature, ...]
    user_types: UserTypeRule | None
    holdout_rows: float = 0.0
    holdout_frauds: float = 0.0
    joint: JointDistribution | None = None

    def select_most_important(self, number: int) -> tuple[Feature, ...]:
        """The `number` features of the greatest importance, in the model's order where equal."""
        return tuple(sorted(self.features, key=lambda feature: -feature.importance)[:number])
