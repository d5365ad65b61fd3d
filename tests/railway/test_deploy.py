"""deploy_railway.sh against a `railway` that takes only what the real CLI documents."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lab.http_server import QuietHandler, serve

STUB = Path(__file__).with_name("stub_railway.py")
GRAFANA = {
    "GRAFANA_CLOUD_OTLP_ENDPOINT": "https://otlp.example/otlp",
    "GRAFANA_CLOUD_OTLP_ID": "123",
    "GRAFANA_CLOUD_TOKEN": "secret-of-grafana",
}
CHANGING = {"init", "apply", "set", "up", "domain"}


@dataclass(frozen=True)
class Deployment:
    """A copy of what the script needs, in a folder with a space in its name."""

    folder: Path
    state: Path
    environ: dict[str, str]

    def run(
        self, *arguments: str, answer: str = "", **environ: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", str(self.folder / "deploy_railway.sh"), *arguments],
            cwd="/",
            env={**self.environ, **environ},
            input=answer,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def read_calls(self) -> list[list[str]]:
        lines = (self.state / "calls.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def read_changing_calls(self) -> list[list[str]]:
        return [c for c in self.read_calls() if CHANGING & set(c[:2]) and "--help" not in c]

    def read_state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads((self.state / "state.json").read_text())
        return state


class Healthy(QuietHandler):
    def do_GET(self) -> None:
        self.answer(200 if self.path == "/health" else 404)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(Healthy) as server:
        yield server.url


def prepare(base: Path, root: Path, railway_env: Path, url: str) -> Deployment:
    folder, programs, state = base / "a copy", base / "programs", base / "state"
    (folder / ".venv").mkdir(parents=True)
    (folder / ".venv" / "railway").symlink_to(railway_env)
    shutil.copytree(root / ".railway", folder / ".railway")
    shutil.copy(root / "deploy_railway.sh", folder)
    programs.mkdir()
    state.mkdir()
    stub = programs / "railway"
    stub.write_text(f'#!/bin/sh\nexec "{sys.executable}" -IS "{STUB}" "$@"\n')
    stub.chmod(0o755)
    (state / "state.json").write_text(
        json.dumps({"linked": "mine", "services": [], "variables": {}, "deployed": []})
    )
    environ = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(base),
        "STUB_STATE": str(state),
        "STUB_URL": url,
        "POLL_SECONDS": "0.1",
    }
    return Deployment(folder, state, environ)


@pytest.fixture
def deployment(tmp_path: Path, root: Path, railway_env: Path, url: str) -> Deployment:
    return prepare(tmp_path, root, railway_env, url)


@dataclass(frozen=True)
class TwoDeployments:
    """What two in a row left behind; only the first had secrets at hand."""

    first: subprocess.CompletedProcess[str]
    after_first: dict[str, Any]
    calls_of_first: list[list[str]]
    second: subprocess.CompletedProcess[str]
    after_second: dict[str, Any]


@pytest.fixture(scope="module")
def two_deployments(
    tmp_path_factory: pytest.TempPathFactory, root: Path, railway_env: Path, url: str
) -> TwoDeployments:
    there = prepare(tmp_path_factory.mktemp("deployed"), root, railway_env, url)
    first = there.run("--yes", **GRAFANA)
    kept, calls = there.read_state(), there.read_changing_calls()
    return TwoDeployments(first, kept, calls, there.run("--yes"), there.read_state())


def test_deploys_every_service_and_prints_the_address(
    two_deployments: TwoDeployments, url: str
) -> None:
    assert two_deployments.first.returncode == 0, two_deployments.first.stderr
    assert f"It answers: {url}" in two_deployments.first.stdout
    assert two_deployments.after_first["deployed"] == ["collector", "handler", "simulator"]


def test_secrets_are_set_before_anything_is_deployed(two_deployments: TwoDeployments) -> None:
    words = [call[0] for call in two_deployments.calls_of_first]
    assert words == ["config", *["variable"] * 5, *["up"] * 3, "domain"]


def test_secrets_reach_railway_and_no_screen(two_deployments: TwoDeployments) -> None:
    variables = two_deployments.after_first["variables"]
    printed = (
        two_deployments.first.stdout
        + two_deployments.first.stderr
        + json.dumps(two_deployments.calls_of_first)
    )
    assert variables["collector"] == GRAFANA
    secrets = [GRAFANA["GRAFANA_CLOUD_TOKEN"], *variables["handler"].values()]
    assert [secret for secret in secrets if secret in printed] == []


def test_secrets_are_made_once(two_deployments: TwoDeployments) -> None:
    """A second deployment needs no secret at hand, and keeps those that are there."""
    assert two_deployments.second.returncode == 0, two_deployments.second.stderr
    made = two_deployments.after_first["variables"]["handler"]
    assert {name: len(value) >= 32 for name, value in made.items()} == {
        "ACCESS_TOKEN": True,
        "RECEIPT_KEYS": True,
    }
    assert two_deployments.after_second["variables"] == two_deployments.after_first["variables"]


def test_own_access_token_is_taken(deployment: Deployment) -> None:
    deployment.run("--yes", **GRAFANA, ACCESS_TOKEN="secret-of-mine")
    assert deployment.read_state()["variables"]["handler"]["ACCESS_TOKEN"] == "secret-of-mine"


def test_dry_run_changes_nothing(deployment: Deployment) -> None:
    """The plan is the stub's, which runs `python3` as the CLI does: it finds the locked package."""
    ran = deployment.run("--dry-run", **GRAFANA)
    assert ran.returncode == 0, ran.stderr
    assert deployment.read_changing_calls() == []
    assert "Create service handler" in ran.stdout
    assert "would run: railway up --service handler" in ran.stdout


def test_dry_run_needs_no_account(deployment: Deployment) -> None:
    (deployment.state / "state.json").unlink()
    ran = deployment.run("--dry-run", STUB_SIGNED_OUT="1")
    assert ran.returncode == 0, ran.stderr
    assert "service  simulator, runs at '17 */6 * * *' UTC" in ran.stdout
    assert "railway login" in ran.stdout


def test_new_project_is_made_by_a_project_token_too(deployment: Deployment) -> None:
    """A project token has no user behind it, so nobody is asked who they are."""
    (deployment.state / "state.json").unlink()
    ran = deployment.run("--yes", "--new", "watched", RAILWAY_TOKEN="token", **GRAFANA)
    assert ran.returncode == 0, ran.stderr
    assert deployment.read_state()["linked"] == "watched"
    assert ["whoami"] not in deployment.read_calls()


@pytest.mark.parametrize(
    ("arguments", "environ", "code", "sentence"),
    [
        pytest.param(["--frobnicate"], {}, 2, "unknown argument '--frobnicate'", id="argument"),
        pytest.param(["--new"], {}, 2, "--new needs the name", id="new-without-name"),
        pytest.param(["--yes"], {}, 2, "GRAFANA_CLOUD_OTLP_ID GRAFANA_CLOUD_TOKEN", id="secrets"),
        pytest.param(["--yes"], {"STUB_SIGNED_OUT": "1"}, 2, "railway login", id="signed-out"),
        pytest.param([], GRAFANA, 2, "pass --yes", id="no-terminal"),
        pytest.param(
            ["--yes"], {**GRAFANA, "STUB_STATUS": "CRASHED"}, 1, "ended as CRASHED", id="crashed"
        ),
        pytest.param(
            ["--yes"],
            {**GRAFANA, "STUB_STATUS": "BUILDING", "DEPLOY_TIMEOUT_SECONDS": "1"},
            1,
            "not deployed within 1 s (it is BUILDING)",
            id="slow",
        ),
        pytest.param(
            ["--yes"],
            {**GRAFANA, "STUB_URL": "http://127.0.0.1:1", "HEALTH_TIMEOUT_SECONDS": "1"},
            1,
            "/health did not answer within 1 s",
            id="unhealthy",
        ),
    ],
)
def test_refuses_with_a_sentence(
    deployment: Deployment, arguments: list[str], environ: dict[str, str], code: int, sentence: str
) -> None:
    ran = deployment.run(*arguments, **environ)
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert sentence in ran.stderr


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        pytest.param("railway", "the Railway CLI is missing", id="railway"),
        pytest.param("curl", "curl is missing", id="curl"),
        pytest.param("python3", "Python 3.10 or newer is missing", id="python3"),
    ],
)
def test_missing_tool_is_named(
    deployment: Deployment, tmp_path: Path, missing: str, sentence: str
) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for name in {"bash", "dirname", "python3", "curl", "railway"} - {missing}:
        found = shutil.which(name, path=deployment.environ["PATH"])
        assert found is not None
        (few / name).symlink_to(found)
    ran = deployment.run("--dry-run", PATH=str(few))
    assert ran.returncode == 2
    assert sentence in ran.stderr


@pytest.mark.parametrize(
    ("answer", "code", "deployed"),
    [pytest.param("n\n", 3, 0, id="no"), pytest.param("y\n", 0, 3, id="yes")],
)
def test_asks_on_a_terminal(deployment: Deployment, answer: str, code: int, deployed: int) -> None:
    terminal, child = pty.openpty()
    os.write(terminal, answer.encode())
    ran = subprocess.run(
        ["bash", str(deployment.folder / "deploy_railway.sh")],
        env={**deployment.environ, **GRAFANA},
        stdin=child,
        capture_output=True,
        timeout=60,
    )
    os.close(terminal)
    os.close(child)
    assert (ran.returncode, len(deployment.read_state()["deployed"])) == (code, deployed)


def test_unlinked_folder_is_refused(deployment: Deployment) -> None:
    (deployment.state / "state.json").unlink()
    ran = deployment.run("--yes", **GRAFANA)
    assert (ran.returncode, deployment.read_changing_calls()) == (2, [])
    assert "railway link" in ran.stderr


def test_script_is_clean_shell(root: Path) -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    subprocess.run([str(shellcheck), str(root / "deploy_railway.sh")], check=True)
