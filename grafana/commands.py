"""What each word does and prints."""

from __future__ import annotations

import argparse
import json
import math
from typing import TYPE_CHECKING

from grafana import generate, verify
from grafana.prometheus import Prometheus, Sample
from grafana.web import Client

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


def _with_prometheus(word: argparse.ArgumentParser) -> None:
    word.add_argument(
        "--prometheus",
        metavar="URL",
        default=LOCAL_PROMETHEUS,
        help=f"address of the Prometheus to ask (default {LOCAL_PROMETHEUS})",
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


def _verify(options: argparse.Namespace) -> int:
    prometheus = Prometheus(Client(options.prometheus))
    dashboard = json.loads((generate.ROOT / generate.PROVISIONED).read_text(encoding="utf-8"))
    faults = 0
    for choice in verify.choices(dashboard, prometheus):
        faults += not choice.values
        print(f"variable {choice.name}: {', '.join(choice.values) or 'EMPTY'}")
    panel = ""
    for finding in verify.verify(dashboard, prometheus):
        if finding.query.panel != panel:
            panel = finding.query.panel
            print(panel)
        faults += finding.fault is not None
        print(f"  {finding.query.legend:14} {_shown(finding)}")
    print(f"{faults} empty or NaN")
    return 1 if faults else 0


def _shown(finding: verify.Finding) -> str:
    if finding.fault:
        return finding.fault.upper()
    if len(finding.samples) == 1:
        return _figure(finding.samples[0])
    ordered = sorted(finding.samples, key=lambda sample: float(sample.labels.get("le", math.inf)))
    return "  ".join(f"≤{sample.labels['le']}: {_figure(sample)}" for sample in ordered)


def _figure(sample: Sample) -> str:
    return f"{sample.value:.4g}"
