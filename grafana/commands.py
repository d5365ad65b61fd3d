"""What each word does and prints."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from grafana import generate
from grafana.cloud import budget, upload, verify
from grafana.cloud.access import (
    FOR_DASHBOARDS,
    FOR_METRICS,
    SETTINGS,
    grafana_access,
    query_access,
    read_settings,
    ruler_access,
)
from grafana.http import Client
from grafana.prometheus import Prometheus, Sample

if TYPE_CHECKING:
    Words = argparse._SubParsersAction[argparse.ArgumentParser]

LOCAL_PROMETHEUS = "http://localhost:9090"


def add_to(words: Words) -> None:
    """Declare every word with its options."""
    word = words.add_parser("generate", help="write the generated files")
    word.set_defaults(run=_generate)
    word = words.add_parser("check", help="fail if a generated file is not current")
    word.set_defaults(run=_check)
    word = words.add_parser(
        "verify", help="run every panel's query against a Prometheus; fail if one is empty or NaN"
    )
    _with_prometheus(word)
    word.set_defaults(run=_verify)
    _add_upload(words)
    _add_budget(words)


def _add_upload(words: Words) -> None:
    settings = "\n".join(f"  {name:30} {meaning}" for name, meaning in SETTINGS.items())
    word = words.add_parser(
        "upload",
        help="bring dashboards and rules to Grafana Cloud; may be repeated",
        description="Bring the dashboard to Grafana and the rule files to its Prometheus.",
        epilog=f"Settings come from the environment:\n{settings}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    word.add_argument("--dry-run", action="store_true", help="read and plan, change nothing")
    word.add_argument("--only", choices=("dashboards", "rules"), help="leave the other one out")
    word.add_argument(
        "--rules",
        metavar="FOLDER",
        type=Path,
        default=generate.ROOT / "prometheus" / "rules",
        help="where the rule files (*.yml) are (default prometheus/rules)",
    )
    word.set_defaults(run=_upload)


def _add_budget(words: Words) -> None:
    word = words.add_parser(
        "budget", help="count series and samples per minute; fail if they exceed the plan"
    )
    _with_prometheus(word)
    word.add_argument(
        "--interval",
        metavar="SECONDS",
        type=_positive,
        default=budget.CLOUD_INTERVAL_SECONDS,
        help=f"push interval towards the cloud (default {budget.CLOUD_INTERVAL_SECONDS})",
    )
    word.add_argument(
        "--limit",
        metavar="SERIES",
        type=_positive,
        default=budget.FREE_SERIES,
        help=f"active series that the plan includes (default {budget.FREE_SERIES}, the free plan)",
    )
    word.set_defaults(run=_budget)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, got {text!r}")
    return int(text)


def _with_prometheus(word: argparse.ArgumentParser) -> None:
    word.add_argument(
        "--prometheus",
        metavar="URL",
        default=LOCAL_PROMETHEUS,
        help=f"address of the Prometheus to ask (default {LOCAL_PROMETHEUS})",
    )
    word.add_argument(
        "--cloud",
        action="store_true",
        help=f"ask Grafana Cloud instead, with {', '.join(FOR_METRICS)} of the environment",
    )


def _generate(_: argparse.Namespace) -> int:
    for path in generate.write():
        print(f"wrote {path}")
    return 0


def _check(_: argparse.Namespace) -> int:
    outdated = generate.outdated()
    for path in outdated:
        print(f"{path} is not current: run `python -m grafana generate`")
    return 1 if outdated else 0


def _asked(options: argparse.Namespace) -> Prometheus:
    if options.cloud:
        return Prometheus(query_access(read_settings(os.environ, FOR_METRICS)))
    return Prometheus(Client(options.prometheus))


def _verify(options: argparse.Namespace) -> int:
    prometheus = _asked(options)
    interval = verify.CLOUD_RATE_INTERVAL if options.cloud else verify.LOCAL_RATE_INTERVAL
    dashboard = json.loads((generate.ROOT / generate.PROVISIONED).read_text(encoding="utf-8"))
    faults = 0
    for choice in verify.choices(dashboard, prometheus):
        faults += not choice.values
        print(f"variable {choice.name}: {', '.join(choice.values) or 'EMPTY'}")
    panel = ""
    for finding in verify.verify(dashboard, prometheus, __rate_interval=interval):
        if finding.query.panel != panel:
            panel = finding.query.panel
            print(panel)
        faults += finding.fault is not None
        legend = "by value" if len(finding.samples) > 1 else finding.query.legend
        print(f"  {legend:14} {_shown(finding)}")
    print(f"{faults} empty or NaN")
    return 1 if faults else 0


def _upload(options: argparse.Namespace) -> int:
    dashboards = options.only != "rules"
    rules = options.only == "rules" or (options.only is None and any(options.rules.glob("*.yml")))
    settings = read_settings(os.environ, FOR_DASHBOARDS * dashboards + FOR_METRICS * rules)
    steps: list[upload.Step] = []
    if dashboards:
        steps += upload.plan_dashboards(grafana_access(settings))
    if rules:
        steps += upload.plan_rules(ruler_access(settings), options.rules)
    for step in steps:
        if step.take and not options.dry_run:
            step.take()
        print(f"{step.action:9} {step.what}")
    if options.dry_run:
        print("dry run: nothing was changed")
    return 0


def _budget(options: argparse.Namespace) -> int:
    found = budget.measure(_asked(options), interval_seconds=options.interval, limit=options.limit)
    for (job, metric), series in found.sent.most_common():
        print(f"{job:20} {metric:45} {series:7,}")
    print(
        f"to the cloud: {found.series:,} active series, {found.samples_per_minute:,.0f} samples a "
        f"minute at one each {found.interval_seconds} s; the plan counts {found.usage:,} of "
        f"{found.limit:,} ({found.usage / found.limit:.1%})"
    )
    print(
        f"{len(found.instances)} instances; one more brings {found.per_instance:,} series, "
        f"{found.instances_that_fit} such instances fit"
    )
    stays = Counter[str]()
    for (job, _), series in found.local.items():
        stays[job] += series
    print(f"only here: {', '.join(f'{job} {n:,}' for job, n in stays.items()) or 'nothing'}")
    if not found.is_kept:
        print(f"OVER the plan by {found.usage - found.limit:,}")
    return 0 if found.is_kept else 1


def _shown(finding: verify.Finding) -> str:
    if finding.fault:
        return finding.fault.upper()
    if len(finding.samples) == 1:
        return f"{finding.samples[0].value:.4g}"
    return "  ".join(f"≤{bound:g}: {share:.1%}" for bound, share in _bars(finding.samples))


def _bars(samples: list[Sample]) -> list[tuple[float, float]]:
    """Bound and height of each bar, as Grafana makes them from cumulative buckets."""
    cumulative = sorted((float(sample.labels["le"]), sample.value) for sample in samples)
    below = [0.0, *(value for _, value in cumulative)]
    return [
        (bound, value - before) for (bound, value), before in zip(cumulative, below, strict=False)
    ]
