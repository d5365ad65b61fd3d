"""PromQL that more than one rule needs: label matchers of the closed sets, and common expressions.

The values come from the tables of the service; what rules type themselves is held against these
tables by tests/prometheus/rules/test_contract.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from model.serving.vocabulary import FRAUD, LEGITIMATE
from telemetry.metrics import SCORING_ENDPOINTS, SERVED

CHAMPION, CHALLENGER = SERVED.labels["role"]
PREDICT, _SIMULATE = SCORING_ENDPOINTS

PREDICTED_FRAUD = f'class_name="{FRAUD}"'
PREDICTED_LEGITIMATE = f'class_name="{LEGITIMATE}"'
# `truth` is the published name of the label's true class.
LABELLED_FRAUD = f'truth="{FRAUD}"'
LABELLED_LEGITIMATE = f'truth="{LEGITIMATE}"'
OF_CHAMPION = f'role="{CHAMPION}"'
_LIVE = f'endpoint="{PREDICT}"'


def select_live(*matchers: str) -> str:
    """Predictions that callers asked for.

    Those of /simulate_traffic are in predictions_total too, but in no sum of probabilities, in no
    bin and among no labels: in a ratio with one of these they would be another population.
    """
    return f"predictions_total{{{', '.join((_LIVE, *matchers))}}}"


def sum_increase(counter: str, span: str, by: str = "job") -> str:
    """How much a counter's selected series rose in the span, added up by labels."""
    return f"sum by ({by}) (increase({counter}[{span}]))"


def last_max(gauge: str, span: str) -> str:
    """The gauge as last seen in the span, the highest of the job's instances."""
    return f"max by (job) (last_over_time({gauge}[{span}]))"


def any_of(conditions: Iterable[str]) -> str:
    """What fulfils one of the conditions."""
    return "\nor\n".join(conditions)


def any_window(conditions: Mapping[str, str]) -> str:
    """What fulfils one of the conditions, each with its window as a label."""
    return any_of(
        f'label_replace(\n{condition}\n, "window", "{window}", "", "")'
        for window, condition in conditions.items()
    )
