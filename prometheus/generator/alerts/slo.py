"""Burn-rate alerts of the promises in slo.yml, which also says their causes and scenarios."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.durations import Durations
from prometheus.generator.promql import any_of
from prometheus.generator.recordings.slo import count_errors
from prometheus.generator.rule import Alert
from prometheus.generator.slo import Burn, Objective, Slo


def alert_on_budgets(durations: Durations, slo: Slo) -> Iterator[Alert]:
    """A page and a ticket for each promise whose budget burns too fast."""
    for objective in slo.objectives:
        for severity in ("page", "ticket"):
            pairs = [burn for burn in slo.burn if burn.severity == severity]
            if pairs:
                yield Alert(
                    objective.alert,
                    severity,
                    any_of(_is_burning(objective, burn, slo, durations) for burn in pairs),
                    "0s",
                    f"The error budget of {objective.name} burns too fast.",
                    f"{{{{ $value | humanizePercentage }}}} of the events are bad, "
                    f"{objective.budget:.2%} may be over {slo.period}.",
                    caused_by=objective.caused_by,
                    scenarios=objective.scenarios,
                    may_follow=objective.may_follow,
                )


def _is_burning(of: Objective, burn: Burn, slo: Slo, durations: Durations) -> str:
    """Both windows burn at this rate, and the long one has errors enough to speak of."""
    chosen, limit = f'{{slo="{of.name}"}}', f"{burn.factor * of.budget:g}"
    return (
        f"(slo:error_ratio:{burn.long}{chosen} > {limit}"
        f" and slo:error_ratio:{burn.short}{chosen} > {limit}"
        f" and {count_errors(of, burn.long, durations)} >= {slo.minimum_errors:g})"
    )
