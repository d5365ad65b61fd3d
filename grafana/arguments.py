"""The commands of `python -m grafana` and their options."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from grafana import commands, generate
from grafana.cloud import budget
from grafana.cloud.access import FOR_METRICS, SETTINGS

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

LOCAL_PROMETHEUS = "http://localhost:9090"


def parser() -> argparse.ArgumentParser:
    """All commands with their options; `run` is the function of the one that was chosen."""
    whole = argparse.ArgumentParser(
        prog="python -m grafana",
        description="Dashboards as code: generated from grafana/panels/, checked, uploaded.",
    )
    subparsers = whole.add_subparsers(required=True, metavar="COMMAND")
    _add_generate(subparsers)
    _add_verify(subparsers)
    _add_upload(subparsers)
    _add_budget(subparsers)
    return whole


def _add_generate(subparsers: Subparsers) -> None:
    command = subparsers.add_parser("generate", help="write the generated files")
    command.set_defaults(run=commands.generate_files)
    command = subparsers.add_parser("check", help="fail if a generated file is not current")
    command.set_defaults(run=commands.check_files)


def _add_verify(subparsers: Subparsers) -> None:
    command = subparsers.add_parser(
        "verify", help="run every panel's query against a Prometheus; fail if one is empty or NaN"
    )
    _add_prometheus(command)
    command.set_defaults(run=commands.verify_queries)


def _add_upload(subparsers: Subparsers) -> None:
    settings = "\n".join(f"  {name:30} {meaning}" for name, meaning in SETTINGS.items())
    command = subparsers.add_parser(
        "upload",
        help="bring dashboards and rules to Grafana Cloud; may be repeated",
        description="Bring the dashboards to Grafana and the rule files to its Prometheus.",
        epilog=f"Settings come from the environment:\n{settings}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--dry-run", action="store_true", help="read and plan, change nothing")
    command.add_argument("--only", choices=("dashboards", "rules"), help="leave the other one out")
    command.add_argument(
        "--rules",
        metavar="FOLDER",
        type=Path,
        default=generate.ROOT / "prometheus" / "rules",
        help="where the rule files (*.yml) are (default prometheus/rules)",
    )
    command.set_defaults(run=commands.upload_all)


def _add_budget(subparsers: Subparsers) -> None:
    command = subparsers.add_parser(
        "budget", help="count series and samples per minute; fail if they exceed the plan"
    )
    _add_prometheus(command)
    command.add_argument(
        "--interval",
        metavar="SECONDS",
        type=_positive,
        default=budget.CLOUD_INTERVAL_SECONDS,
        help=f"push interval towards the cloud (default {budget.CLOUD_INTERVAL_SECONDS})",
    )
    command.add_argument(
        "--limit",
        metavar="SERIES",
        type=_positive,
        default=budget.FREE_SERIES,
        help=f"active series that the plan includes (default {budget.FREE_SERIES}, the free plan)",
    )
    command.set_defaults(run=commands.measure_budget)


def _add_prometheus(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--prometheus",
        metavar="URL",
        default=LOCAL_PROMETHEUS,
        help=f"address of the Prometheus to ask (default {LOCAL_PROMETHEUS})",
    )
    command.add_argument(
        "--cloud",
        action="store_true",
        help=f"ask Grafana Cloud instead, with {', '.join(FOR_METRICS)} of the environment",
    )


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, got {text!r}")
    return int(text)
