"""1 → 100 → 1 replicas by KEDA on the handler's own metric, under the simulator's load.

A real control plane, kwok's pods, and real processes of the handler for four of them; a drain,
three rollouts and the store away meanwhile. In a network of its own. Writes docs/autoscaling.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.own_models import add_models_option, find_models
from bench.scale.autoscaling.apart import ApartError, check_commands, run_apart
from bench.scale.autoscaling.kwok_stages import module_stages
from bench.scale.autoscaling.manifests import list_changes
from bench.scale.autoscaling.plot import draw
from bench.scale.autoscaling.result import (
    Result,
    describe,
    read_result,
    tabulate,
    tabulate_changes,
)
from telemetry.generated import write_generated
from tests.kubernetes.crds import find_keda_crds
from tests.kubernetes.programs import build_programs
from tests.lab.paths import ROOT
from tests.lab.tools import tools_folder

COMMAND = "python -m bench.scale autoscale"
PAGE = ROOT / "docs" / "autoscaling.md"
PICTURE = ROOT / "docs" / "images" / "autoscaling.png"
PROGRAMS = (
    "etcd", "kube-apiserver", "kubectl", "kube-controller-manager", "kube-scheduler", "kwok",
    "keda-operator", "keda-adapter",
)  # fmt: skip
LONGEST, LONGEST_SHIPPED = 2700.0, 5400.0  # seconds
STORE = "http://127.0.0.1:PORT"


def run(arguments: Sequence[str]) -> int:
    """The drill: 0 where every promise was kept, else 1."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    add_models_option(parser)
    parser.add_argument("--no-page", action="store_true", help="print the figures only")
    parser.add_argument("--shipped-down", action="store_true",
        help="scale down as slowly as shipped: half an hour more")  # fmt: skip
    options = parser.parse_args(arguments)
    try:
        check_commands()
    except ApartError as error:
        print(f"{COMMAND}: {error}", file=sys.stderr)
        return 2
    try:
        with tempfile.TemporaryDirectory() as name:
            return _run(options, Path(name))
    except KeyboardInterrupt:
        print("interrupted; everything is ended", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace, folder: Path) -> int:
    tools_folder()
    tools = build_programs(PROGRAMS)
    # There is no network later on.
    module_stages()
    find_keda_crds()
    models = find_models(options.models, folder)
    command = [sys.executable, "-m", "bench.scale.autoscaling"]
    command += [str(path.resolve()) for path in (folder, tools, models)]
    if options.shipped_down:
        command.append("--shipped-down")
    code = run_apart(command, LONGEST_SHIPPED if options.shipped_down else LONGEST)
    if code != 0:
        return code
    result = read_result(folder / "result.json")
    text = render(result)
    print(text)
    if not options.no_page:
        write_generated(PAGE, COMMAND, text)
        draw(PICTURE, result.history)
    faults = result.find_faults()
    for sentence in faults:
        print(sentence, file=sys.stderr)
    return 1 if faults else 0


def render(result: Result) -> str:
    """What stands between the marks of docs/autoscaling.md."""
    changes = list_changes(STORE, shipped_down=result.shipped_down)
    return "\n\n".join(
        [
            f"{datetime.now(UTC):%Y-%m-%d}, {describe(result)}",
            tabulate(result).format(),
            "Of the ScaledObject is otherwise than in the component `keda`:",
            tabulate_changes(changes).format(),
        ]
    )
