"""Definitions of the kinds that are not Kubernetes' own, from the modules that declare them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.kubernetes.kustomization import KUBERNETES

DISTRIBUTION = KUBERNETES / "distribution"
OPERATOR = "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
KEDA = "github.com/kedacore/keda/v2"


def make_crds(tools: Path, folder: Path) -> list[Path]:
    """Files of the operator's kinds, generated, and of KEDA's, which lie in its module."""
    _run(
        [str(tools / "controller-gen"), "crd", f"paths={OPERATOR}", f"output:crd:dir={folder}"],
        DISTRIBUTION / "crds",
    )
    return [*sorted(folder.glob("*.yaml")), *find_keda_crds()]


def find_keda_crds() -> list[Path]:
    """Files of KEDA's kinds."""
    module = module_folder(KEDA, DISTRIBUTION / "keda")
    found = sorted((module / "config" / "crd" / "bases").glob("*.yaml"))
    assert found, f"{KEDA} has no definitions of its kinds"
    return found


def module_folder(module: str, distribution: Path) -> Path:
    """Where the files of a module of the distribution lie; fetched where they are not there."""
    _run(["go", "mod", "download", module], distribution)
    return Path(_run(["go", "list", "-m", "-f", "{{.Dir}}", module], distribution).strip())


def _run(command: list[str], cwd: Path) -> str:
    # What was fetched once needs no network again.
    ran = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "GOFLAGS": "-mod=readonly"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{command[0]}: {ran.stderr[-2000:]}"
    return ran.stdout
