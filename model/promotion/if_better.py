"""`python -m model promote --if-better`: the outcomes that Prometheus has kept decide."""

from __future__ import annotations

import math
import os
import time
from argparse import Namespace
from typing import Any, Final

import msgspec

from model.promotion.outcomes import fetch_outcomes
from model.promotion.prometheus import Prometheus
from model.promotion.sequential_test import Comparison, PairedOutcomes, Verdict, compare_models
from model.promotion.stored_since import refuse_moving_window
from model.registry.writer import RegistryWriter
from model.serving.errors import ModelError
from model.serving.registry import Registry
from model.serving.scorer import load_version
from model.training.threshold import read_cost_ratio

EXIT_CODES: Final[dict[Verdict, int]] = {"promote": 0, "keep": 3, "not enough labels": 4}


def promote_if_better(options: Namespace) -> int:
    """Ask, decide, promote, tell; the exit code is the verdict's."""
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
    paired = fetch_outcomes(prometheus, options.job, (champion, challenger), start, now)
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
            f"outcomes        {paired.outcomes:,.0f} labelled for both since {began} UTC",
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
