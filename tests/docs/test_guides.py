"""docs/SETUP_GUIDE.md and docs/deployment_options.md: what they say is tried, is; sums add up."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from stack.commands.clean import clean
from stack.settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
GUIDES = [ROOT / "docs" / "SETUP_GUIDE.md", ROOT / "docs" / "deployment_options.md"]

STACK = "tests/stack/test_stack.py::"
STARTED = "tests/compose/test_started.py::test_stack_gets_well_counts_and_leaves_nothing"
DEPLOY = "tests/railway/test_deploy.py::"
TRAIN = ".venv/train/bin/python -m model train --data FILE --target COLUMN --time COLUMN"
IMPORT = ".venv/train/bin/python -m model import my_model.joblib --data sample.csv --target fraud"
TRIED = {
    "./start_mlops.sh": f"{STACK}test_ctrl_c_ends_everything_and_a_second_start_works",
    "./start_mlops.sh --native": f"{STACK}test_ctrl_c_ends_everything_and_a_second_start_works",
    "./start_mlops.sh status": f"{STACK}test_status_stop_and_a_second_up_from_another_terminal",
    "./start_mlops.sh stop": f"{STACK}test_status_stop_and_a_second_up_from_another_terminal",
    "./start_mlops.sh traces": f"{STACK}test_a_refused_request_is_found_among_the_traces",
    "./start_mlops.sh clean": "tests/docs/test_guides.py::test_clean_removes_data_and_logs",
    "docker compose up -d --build": STARTED,
    "PORT=5001 PROMETHEUS_PORT=9091 PROMETHEUS_EXTERNAL_URL=http://localhost:9091"
    " docker compose up -d --build": STARTED,
    "docker compose ps": STARTED,
    "docker compose ps -a": STARTED,
    "docker compose logs --tail 50": STARTED,
    "docker compose down -v": STARTED,
    "curl -s localhost:5000/health": STARTED,
    "curl -s localhost:9090/api/v1/query --data-urlencode 'query=sum(predictions_total)'": STARTED,
    "curl -s localhost:9090/api/v1/query --data-urlencode 'query=up'": STARTED,
    ".venv/ops/bin/python -m simulator --rate 20 --duration 60": (
        "tests/docs/test_guides.py::test_simulator_takes_the_flags_of_the_guide"
    ),
    "python3 -m stack.environments train": (
        "tests/stack/test_environments.py::test_ensure_makes_a_working_interpreter_once"
    ),
    TRAIN: "tests/model/data/test_data_files.py::test_a_file_can_be_trained_on_and_judged",
    f"{TRAIN} --refit": (
        "tests/model/training/test_refit.py::test_rows_inside_the_label_delay_are_in_the_last_fit"
    ),
    IMPORT: "tests/model/test_import_estimator.py::test_an_imported_model_is_served_and_equal",
    f"{IMPORT} --allow-joblib": (
        "tests/model/serving/test_joblib.py::test_with_the_option_it_is_served_with_the_estimator_s_own_scores"
    ),
    "./deploy_railway.sh --dry-run": f"{DEPLOY}test_dry_run_changes_nothing",
    "./deploy_railway.sh --new fraud-monitoring": (
        f"{DEPLOY}test_new_project_is_made_by_a_project_token_too"
    ),
    "export GRAFANA_CLOUD_OTLP_ENDPOINT=… GRAFANA_CLOUD_OTLP_ID=… GRAFANA_CLOUD_TOKEN=…": (
        f"{DEPLOY}test_secrets_reach_railway_and_no_screen"
    ),
    "SIMULATOR_CRON='17 * * * *' ./deploy_railway.sh --dry-run": (
        "tests/railway/test_project.py::test_schedule_can_be_changed"
    ),
}
"""Each command that a guide calls tried, and the test that runs it (on other ports)."""


@dataclass(frozen=True)
class Block:
    """A block of commands, its mark, and the text between the heading above and it."""

    mark: str
    lines: list[str]
    above: str


def blocks(guide: Path) -> list[Block]:
    text = guide.read_text()
    found = []
    for match in re.finditer(r"^( *)```sh ?(\S*)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL):
        headings = [h.start() for h in re.finditer(r"^#", text[: match.start()], re.MULTILINE)]
        lines = [line.strip() for line in match[3].splitlines() if line.strip()]
        found.append(Block(match[2], lines, text[headings[-1] : match.start()]))
    return found


ALL = [block for guide in GUIDES for block in blocks(guide)]


def test_every_block_of_commands_is_marked() -> None:
    assert {block.mark for block in ALL} == {"tried", "by-hand", "untried"}


@pytest.mark.parametrize("block", [b for b in ALL if b.mark == "untried"], ids=lambda b: b.lines[0])
def test_what_was_not_tried_says_so(block: Block) -> None:
    assert "◇" in block.above


def test_what_is_called_tried_is_run_by_a_test() -> None:
    lines = {line for block in ALL if block.mark == "tried" for line in block.lines}
    assert lines == set(TRIED)


@pytest.mark.parametrize("test", sorted(set(TRIED.values())))
def test_the_test_that_tries_it_exists(test: str) -> None:
    file, name = test.split("::")
    assert f"def {name}(" in (ROOT / file).read_text()


def test_simulator_takes_the_flags_of_the_guide() -> None:
    [line] = [line for line in TRIED if " -m simulator " in line]
    words = shlex.split(line)[1:]
    subprocess.run([sys.executable, *words, "--help"], cwd=ROOT, check=True, capture_output=True)


def test_clean_removes_data_and_logs(tmp_path: Path) -> None:
    (tmp_path / ".run" / "prometheus").mkdir(parents=True)
    (tmp_path / "logs").mkdir()
    assert clean(read_settings(tmp_path, {})) == 0
    assert list(tmp_path.iterdir()) == []


def test_sentence_about_a_busy_port_is_the_programs() -> None:
    [quoted] = re.findall(r"^> (.+)$", GUIDES[0].read_text(), re.MULTILINE)
    code = (ROOT / "stack" / "ports.py").read_text()
    for part in (" is busy (", "; stop that, or set ", "to a free port, for example "):
        assert part in quoted and part in code


def test_costs_add_up() -> None:
    """Recomputed from the prices and measured figures that the text above the table gives."""
    rows = re.findall(
        r"^\| `[^`]+`[^|]*\| (\d+) \| (\d+) h \| (.+) \|$", GUIDES[1].read_text(), re.MULTILINE
    )
    assert len(rows) == 3
    for runs_text, awake_text, costs in rows:
        runs, awake = int(runs_text), int(awake_text)
        memory = 10 * ((0.100 + 0.020) * awake + 0.025 * runs * 5 / 60) / 720
        cpu = 20 * runs * 10 / (720 * 3600)
        volume, traffic = 0.15 * 0.5, 0.05 * runs * 0.8 / 1000
        total = memory + cpu + volume + traffic
        stated = [float(cell.strip(" $")) for cell in costs.split("|")]
        assert awake == min(720, runs * 15 // 60)
        assert stated == pytest.approx([memory, cpu, volume, traffic, total], abs=0.0051)
