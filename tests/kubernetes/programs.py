"""The programs of a cluster, built by the project's own build step and kept beside the others.

They are no part of the stack: the checks of deploy/kubernetes and the drill of scaling use them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from stack import build
from stack.progress import ProgressDisplay
from stack.subprocesses import SubprocessRunner
from tests.kubernetes.kustomization import KUBERNETES
from tests.lab.paths import ROOT

DISTRIBUTIONS = KUBERNETES / "distribution"


def build_programs(names: Iterable[str]) -> Path:
    """The folder with these programs; those that are not current are built, in minutes."""
    tools = ROOT / (os.environ.get("STACK_TOOLS_DIR") or ".tools/bin")
    folders = sorted(path.parent for path in DISTRIBUTIONS.glob("*/build.json"))
    known = {one.name: one for folder in folders for one in build.read_description(folder)}
    tools.mkdir(parents=True, exist_ok=True)
    with ProgressDisplay() as display:
        for name in names:
            if not build.is_current(known[name], tools):
                with display.show(f"building {name}", failed="not built") as task:
                    build.build(known[name], tools, task, SubprocessRunner())
    return tools
