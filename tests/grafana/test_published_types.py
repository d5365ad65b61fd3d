"""The dashboards against Grafana's own types, by TypeScript as strict as it can be.

No Grafana is needed for that; npm fetches the types, and a compiler, into a folder of the run.
"""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grafana.panels import dashboards
from grafana.render.board import panels_of
from tests.grafana.conftest import read_dashboard
from tests.lab.paths import ROOT

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

# The Grafana that docker-compose.yml starts.
[GRAFANA] = re.findall(
    r"image: grafana/grafana:([\d.]+)$",
    (ROOT / "docker-compose.yml").read_text(encoding="utf-8"),
    re.MULTILINE,
)
PACKAGES = (f"@grafana/schema@{GRAFANA}", "typescript@5.9.3")
# Without what it needs to run: one file of it has the type of a query.
QUERIES = f"@grafana/prometheus@{GRAFANA}"
TYPES = ROOT / "tests" / "grafana" / "published_types.ts"
OPTIONS = {
    "strict": True,
    "exactOptionalPropertyTypes": True,
    "noUncheckedIndexedAccess": True,
    "noEmit": True,
    # Grafana's own files are not to be judged.
    "skipLibCheck": True,
    "module": "preserve",
    "moduleResolution": "node10",
    "ignoreDeprecations": "5.0",
    "target": "es2022",
}
Json = dict[str, Any]
CONTENTS = {name: read_dashboard(name) for name in dashboards()}


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the compiler has against each dashboard and each fault, by its name."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm, which fetches Grafana's types, is not installed")
    folder = tmp_path_factory.mktemp("published-types")
    _fetch_types(npm, folder)
    faulty = {path: _damage(CONTENTS["overview"], path, value) for path, value in FAULTS.items()}
    contents = {**CONTENTS, **faulty}
    for name, content in contents.items():
        (folder / f"{name}.ts").write_text("\n".join(_write(content)), encoding="utf-8")
    config = {"compilerOptions": OPTIONS, "files": [f"{name}.ts" for name in contents]}
    (folder / "tsconfig.json").write_text(json.dumps(config))
    command = ["node_modules/.bin/tsc", "--pretty", "false"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200)
    found = dict.fromkeys(contents, "")
    for line in ran.stdout.splitlines():
        if match := re.match(r"(.+)\.ts\(\d+,\d+\): error (.*)", line):
            found[match[1]] += f"{match[2]}\n"
    return found


def _fetch_types(npm: str, folder: Path) -> None:
    """Grafana's types and a compiler, and beside them ours."""
    (folder / "package.json").write_text("{}")
    install = [npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    subprocess.run([*install, *PACKAGES], cwd=folder, check=True, capture_output=True, timeout=200)
    subprocess.run(
        [npm, "pack", "--silent", QUERIES],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=100,
    )
    [archive] = folder.glob("*.tgz")
    shutil.unpack_archive(archive, folder / "packed")
    (folder / "packed" / "package").rename(folder / "node_modules" / "@grafana" / "prometheus")
    shutil.copy(TYPES, folder / TYPES.name)


def _write(content: Json) -> Iterator[str]:
    """Every panel is a constant of its own, so that each is judged by its own type."""
    yield 'import type { Board, Panels } from "./published_types";'
    yield f"export const board: Board = {json.dumps({**content, 'panels': []})};"
    rows = [panel for panel in content["panels"] if panel["type"] == "row"]
    for panel in [*panels_of(content), *({**row, "panels": []} for row in rows)]:
        constant = f"{panel['type'].replace('-', '_')}_{panel['id']}"
        yield f"export const {constant}: Panels[{panel['type']!r}] = {json.dumps(panel)};"


@pytest.mark.parametrize("name", CONTENTS)
def test_dashboard_is_of_grafana_s_types(complaints: dict[str, str], name: str) -> None:
    assert complaints[name] == ""


def _damage(content: Json, path: str, value: object) -> Json:
    """A copy with something else at the path below its first panel of a type."""
    damaged = copy.deepcopy(content)
    kind, *steps = path.split(".")
    place: Any = damaged if kind == "board" else _first(damaged, kind)
    for step in steps[:-1]:
        place = place[int(step) if step.isdigit() else step]
    place[steps[-1]] = value
    return damaged


def _first(content: Json, kind: str) -> Json:
    found: Json = next(panel for panel in panels_of(content) if panel["type"] == kind)
    return found


FAULTS = {
    "board.graphTooltip": 7,
    "board.tmplating": {},
    "stat.options.colorMode": "rainbow",
    "stat.options.colourMode": "value",
    "stat.gridPos.w": "3",
    "stat.fieldConfig.defaults.units": "short",
    "timeseries.fieldConfig.defaults.custom.lineWidht": 2,
    "timeseries.fieldConfig.defaults.custom.showPoints": "sometimes",
    "timeseries.options.legend.placement": "left",
    "timeseries.fieldConfig.defaults.thresholds.mode": "relative",
    "timeseries.targets.0.format": "csv",
    "timeseries.targets.0.expression": "up",
    "timeseries.links.0.type": "page",
    "bargauge.options.displayMode": "3d",
}


@pytest.mark.parametrize("path", FAULTS)
def test_fault_is_found(complaints: dict[str, str], path: str) -> None:
    """The control: without it a type that allows everything would pass for a proof."""
    assert path.rsplit(".", 1)[1] in complaints[path] or str(FAULTS[path]) in complaints[path]
