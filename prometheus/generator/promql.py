"""PromQL that more than one rule needs: label matchers of the closed sets, and common expressions.

The values come from the tables of the service; what rules type themselves is held against these
tables by tests/prometheus/rules/test_contract.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from model.serving.vocabulary import FRAUD, LEGITIMATE
from telemetry.metrics import CHAMPION_DECISIONS, OF_VERSION, SCORING_ENDPOINTS, SERVED

CHAMPION, CHALLENGER = SERVED.labels["role"]
PREDICT = SCORING_ENDPOINTS[0]

PREDICTED_FRAUD = f'class_name="{FRAUD}"'
PREDICTED_LEGITIMATE = f'class_name="{LEGITIMATE}"'
# `truth` is the published name of the label's true class.
LABELLED_FRAUD = f'truth="{FRAUD}"'
LABELLED_LEGITIMATE = f'truth="{LEGITIMATE}"'
OF_CHAMPION = f'role="{CHAMPION}"'
# Labels that tell one version of a job's model from another: each is judged by itself.
VERSION = f"job, {', '.join(OF_VERSION)}"


def select_live(*matchers: str) -> str:
    """Decisions of the champion about transactions that callers sent.

    It is the population of the sums of probabilities, of the bins and (as far as they came) of the
    labels. Those of /simulate_traffic are in none of these, and what a challenger answered is in
    all of them as the champion decides it.
    """
    return f"{CHAMPION_DECISIONS.exposed}{{{', '.join(matchers)}}}"


def sum_increase(counter: str, span: str, by: str = "job") -> str:
    """How much a counter's selected series rose in the span, added up by labels: exact.

    The last value less the one before the span, or less the lowest within it: where the series is
    new, where it was silent and is awake again (its old value is repeated then), or where it was
    reset, whose own count begins there. Prometheus' `increase` extrapolates instead, each series by
    a factor of its own: of two samples after silence it makes up to twice as many. Here counts are
    integers, and spans that follow each other miss nothing between them.
    """
    lowest = f"min_over_time({counter}[{span}])"
    start = f"(({counter} offset {span} <= {lowest}) or {lowest})"
    return f"sum by ({by}) (last_over_time({counter}[{span}]) - {start})"


def last_max(gauge: str, span: str, by: str = "job") -> str:
    """The gauge as last seen in the span, the highest of the job's instances."""
    return f"max by ({by}) (last_over_time({gauge}[{span}]))"


def any_of(conditions: Iterable[str]) -> str:
    """What fulfils one of the conditions."""
    return "\nor\n".join(conditions)


def any_window(conditions: Mapping[str, str]) -> str:
    """What fulfils one of the conditions, each with its window as a label."""
    return any_of(
        f'label_replace(\n{condition}\n, "window", "{window}", "", "")'
        for window, condition in conditions.items()
    )
