"""`python -m model promote --if-better`: the outcomes that Prometheus has kept decide."""

from __future__ import annotations

import math
import os
import time
from argparse import Namespace
from typing import Any, Final

import msgspec

from model.promotion.cohorts import fetch_matured
from model.promotion.increases import Pair
from model.promotion.outcomes import fetch_outcomes
from model.promotion.prometheus import Prometheus
from model.promotion.sequential_test import Comparison, PairedOutcomes, Verdict, compare_models
from model.promotion.stored_since import refuse_moving_window
from model.registry.writer import RegistryWriter
from model.serving.cohorts import OLDEST_SECONDS
from model.serving.errors import ModelError
from model.serving.registry import Registry
from model.serving.scorer import load_version
from model.training.threshold import read_cost_ratio

EXIT_CODES: Final[dict[Verdict, int]] = {"promote": 0, "keep": 3, "not enough labels": 4}


def promote_if_better(options: Namespace) -> int:
    """Query, decide, promote, report; the exit code is the verdict's."""
    registry = RegistryWriter(options.models)
    champion, challenger = registry.champion(), _choose_challenger(options, registry)
    ratio = options.cost_ratio or read_cost_ratio(registry.card(champion).threshold_rule) or 1.0
    now = time.time()
    start = min(options.since or registry.published(challenger).trained_at, now)
    prometheus = Prometheus(
        options.prometheus or _refuse_missing_address(),
        os.environ.get("PROMETHEUS_USER", ""),
        os.environ.get("PROMETHEUS_TOKEN", ""),
    )
    refuse_moving_window(prometheus, options.job, start, now)
    paired, waiting = _fetch(prometheus, options, (champion, challenger), start, now)
    result = compare_models(paired, ratio, options.alpha)
    promoted = result.verdict == "promote" and not options.dry_run
    if promoted:
        load_version(registry, challenger, options.allow_joblib)
        registry.promote(challenger)
    report = {
        "champion": champion,
        "challenger": challenger,
        "since": round(start),
        "cost_ratio": ratio,
        "alpha": options.alpha,
        "maturity": options.maturity,
        "unlabelled": options.unlabelled,
        "next_week_at": waiting,
        "outcomes": paired.outcomes,
        **msgspec.to_builtins(paired),
        **msgspec.to_builtins(result),
        "promoted": promoted,
    }
    print(
        msgspec.json.encode(report).decode()
        if options.json
        else _format_text(report, paired, result)
    )
    return EXIT_CODES[result.verdict]


def _fetch(
    prometheus: Prometheus, options: Namespace, pair: Pair, start: float, now: float
) -> tuple[PairedOutcomes, float | None]:
    """The outcomes that count, and when the next ones will, if any wait; raises ModelError while
    they are no fair sample."""
    if options.maturity > OLDEST_SECONDS:
        raise ModelError(
            f"--maturity is at most {OLDEST_SECONDS // 86_400}d: older labels are"
            " not counted by the week of their prediction"
        )
    if not options.maturity:
        return fetch_outcomes(prometheus, options.job, pair, start, now), None
    matured = fetch_matured(prometheus, options.job, pair, start, now, options.maturity)
    unequal = matured.find_unequal_coverage() if options.unlabelled == "left-out" else None
    if unequal is not None:
        raise ModelError(
            f"{unequal}: what is labelled is no fair sample, so nothing is decided. Label a random"
            " share of all, wait longer (--maturity), or say --unlabelled legitimate where only"
            " frauds are ever labelled"
        )
    return matured.compare(options.unlabelled), matured.next_at


def _choose_challenger(options: Namespace, registry: Registry) -> str:
    version: str = options.version or os.environ.get("CHALLENGER", "")
    if not version:
        raise ModelError("which version is the challenger: name it, or set CHALLENGER")
    if version == registry.champion():
        raise ModelError(f"{version} is the champion already")
    registry.card(version)
    return version


def _refuse_missing_address() -> str:
    raise ModelError("--if-better needs --prometheus URL, or PROMETHEUS_URL set")


def _format_text(report: dict[str, Any], paired: PairedOutcomes, result: Comparison) -> str:
    began = time.strftime("%Y-%m-%d %H:%M", time.gmtime(report["since"]))
    unit = "missed fraud" if report["cost_ratio"] >= 1 else "false alarm"
    sure = 100 * (1 - report["alpha"])
    return "\n".join(
        [
            f"champion        {report['champion']}",
            f"challenger      {report['challenger']}",
            f"outcomes        {paired.outcomes:,.0f} labelled for both since {began} UTC"
            f"{_explain_maturity(report)}",
            f"frauds caught   {paired.frauds_better:,.0f} by the challenger alone,"
            f" {paired.frauds_worse:,.0f} by the champion alone",
            f"false alarms    {paired.alarms_worse:,.0f} of the challenger alone,"
            f" {paired.alarms_better:,.0f} of the champion alone",
            f"cost            a missed fraud as {report['cost_ratio']:g} false alarms",
            f"gain            {1000 * result.gain:+.3f} {unit}s' cost saved per 1,000 outcomes;"
            f" at least {1000 * result.gain_low:+.3f}, at most {1000 * result.gain_high:+.3f}"
            f" ({sure:g} % each, at all times together)",
            f"evidence        {_format_power(result.evidence_better)} for better,"
            f" {_format_power(result.evidence_worse)} for worse; {1 / report['alpha']:g} is needed",
            f"verdict         {_explain_verdict(report, result)}",
        ]
    )


def _explain_maturity(report: dict[str, Any]) -> str:
    if not report["maturity"]:
        return ""
    days, waiting = report["maturity"] / 86_400, report["next_week_at"]
    text = f", in weeks that ended {days:g} days ago"
    if waiting is None:
        return text
    return f"{text}; the next one counts from {time.strftime('%Y-%m-%d', time.gmtime(waiting))}"


def _format_power(exponent: float) -> str:
    """10^exponent, as people write it."""
    if abs(exponent) < 4:
        return f"{math.pow(10, exponent):.3g}"
    return f"10^{exponent:.1f}"


def _explain_verdict(report: dict[str, Any], result: Comparison) -> str:
    challenger, champion = report["challenger"], report["champion"]
    if result.verdict == "promote":
        if report["promoted"]:
            return f"{challenger} is better and champion now; a service serves it after a restart"
        return f"{challenger} is better: promote it (nothing was changed)"
    if result.verdict == "keep":
        return f"keep {champion}: {challenger} is worse"
    return f"not enough labels yet: keep {champion} for now and ask again later"
