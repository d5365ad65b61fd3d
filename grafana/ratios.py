"""Statistics as parts of what their alerts allow: 1 is where the alert's condition holds.

Minimum counts and the time that a condition must last are left out, so a ratio reaches 1 no later
than its alert fires. Each gives one series for each window (label `window`), to be put into `max`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from grafana.limits import slo, thresholds
from grafana.promql import larger, smaller
from prometheus.generator.recordings import quality

FEATURES, SCORE = "feature:feature_values", "job:score_values"
LABEL_WINDOWS = tuple(quality.WINDOWS)


def drift_ratio(series: str, window: str) -> str:
    """PSI of the features or the score beyond what chance gives on average."""
    limit = thresholds().drift.psi[window]
    return f"({series}:psi{window} - {series}:psi_expected{window}) / {limit:g}"


def drift_ratios(series: str) -> str:
    """The same, for each window."""
    return _of_windows(lambda window: drift_ratio(series, window), thresholds().drift.psi)


def jump_ratios(name: str, holdout: str) -> str:
    """`fraud_share` or `mean_score` against the holdout: by factor, up or down, and by chance."""
    limits = thresholds().rates

    def ratio(window: str) -> str:
        share, card = f"job:predictions:{name}{window}", f"job:{holdout}:last{window}"
        deviation = f"(job:predictions:{name}_deviation{window} > 0)"
        factor = larger(f"{share} / {card}", f"{card} / clamp_min({share}, 1e-9)")
        chance = f"abs({share} - {card}) / {deviation}"
        return smaller(f"{factor} / {limits.factor[window]:g}", f"{chance} / {limits.sigmas:g}")

    return _of_windows(ratio, limits.factor)


def loss_ratios(measure: str = ".+") -> str:
    """Live quality below the card: by amount and by chance."""
    limits = thresholds().quality

    def ratio(window: str) -> str:
        chosen = f'{{measure=~"{measure}"}}'
        loss = f"job:outcomes:loss{window}{chosen}"
        deviation = f"(job:outcomes:loss_deviation{window}{chosen} > 0)"
        return smaller(f"{loss} / {limits.loss:g}", f"{loss} / {deviation} / {limits.sigmas:g}")

    return _of_windows(ratio, LABEL_WINDOWS)


def calibration_ratios() -> str:
    """Calibration error beyond what chance gives on average, and frauds against those that the
    probabilities say, either way: by amount and by chance."""
    limits = thresholds().quality

    def ratio(window: str) -> str:
        of = "job:outcome_scores:calibration"
        beyond = f"({of}_error{window} - {of}_chance{window})"
        deviation = f"({of}_deviation{window} > 0)"
        return smaller(
            f"{beyond} / {limits.calibration_error:g}",
            f"{beyond} / {deviation} / {limits.sigmas:g}",
        )

    def jump(direction: str, power: int) -> str:
        def ratio(window: str) -> str:
            series = f"job:outcome_scores:fraud_{{}}{window}"
            factor = f"{series.format('ratio')} ^ {power} / {limits.calibration_factor:g}"
            return smaller(factor, f"{series.format(direction)} / {limits.sigmas:g}")

        of_direction = _of_windows(ratio, LABEL_WINDOWS)
        return f'label_replace({of_direction}, "direction", "{direction}", "", "")'

    return " or ".join((_of_windows(ratio, LABEL_WINDOWS), jump("rise", 1), jump("fall", -1)))


def gap_ratios() -> str:
    """Realised against expected performance, in either direction: by amount and by chance."""
    limits = thresholds().expected

    def ratio(window: str) -> str:
        gap, deviation = f"abs(job:expected:gap{window})", f"job:expected:gap_deviation{window}"
        return smaller(f"{gap} / {limits.gap:g}", f"{gap} / ({deviation} > 0) / {limits.sigmas:g}")

    return _of_windows(ratio, LABEL_WINDOWS)


def share_ratio() -> str:
    """The challenger's share of the traffic against the one that was set, by chance."""
    share, target = "job:challenger:share24h", "job:challenger:share_expected24h"
    deviation = "(job:challenger:share_deviation24h > 0)"
    return f"abs({share} - {target}) / {deviation} / {thresholds().challenger.sigmas:g}"


def burn_rate(window: str) -> str:
    """How many times as fast as its period allows the error budget of each objective burns."""
    return f"slo:error_ratio:{window} / on (slo) group_left () slo:budget:ratio"


def burn_ratios() -> str:
    """Burn rates by the factors of their alerts: both windows of a pair must burn."""
    pairs = {f"{pair.long} and {pair.short}": pair for pair in slo().burn}
    return _of_windows(
        lambda name: (
            f"{smaller(burn_rate(pairs[name].long), burn_rate(pairs[name].short))}"
            f" / {pairs[name].factor:g}"
        ),
        pairs,
    )


def _of_windows(ratio: Callable[[str], str], windows: Iterable[str]) -> str:
    return " or ".join(f'label_replace({ratio(w)}, "window", "{w}", "", "")' for w in windows)
