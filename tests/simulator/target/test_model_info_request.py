"""Targets that are down, are late, or are no scoring service: one sentence, and nothing is sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulator.main import main
from tests.lab.ports import free_port
from tests.simulator.faulty_target import ScoringServer
from tests.simulator.runs import StartProgram, read_line


@pytest.mark.parametrize(
    ("status", "document", "sentence"),
    [
        pytest.param(404, {}, "answered 404, so it is no scoring service", id="other service"),
        pytest.param(401, {}, "asks for a token: set ACCESS_TOKEN", id="token"),
        pytest.param(308, {}, "redirects to /elsewhere: give that address", id="redirect"),
        pytest.param(503, {}, "answered 503", id="unavailable"),
        pytest.param(200, b"<html>", "did not answer with JSON", id="page"),
        pytest.param(200, {"features": 5}, "features must be a list", id="foreign JSON"),
    ],
)
def test_run_target_that_is_no_scoring_service(
    target: ScoringServer,
    capsys: pytest.CaptureFixture[str],
    status: int,
    document: object,
    sentence: str,
) -> None:
    """One sentence, exit code 1, and nothing was sent."""
    target.model_info_status, target.model_info = status, document

    assert main(["--url", target.url, "--count", "3", "--rate", "100"]) == 1
    assert sentence in capsys.readouterr().err
    assert target.received == []


def test_run_target_that_is_down(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Fails loudly, and in the summary that a schedule shows."""
    url, file = f"http://127.0.0.1:{free_port()}", tmp_path / "summary.md"

    assert main(["--url", url, "--count", "3", "--summary", str(file)]) == 1
    assert f"{url}/model_info cannot be reached: Connection refused\n" in capsys.readouterr().err
    assert "Not reached" in file.read_text()


def test_run_waits_for_a_target_that_starts_later(
    start: StartProgram, target: ScoringServer
) -> None:
    """As in a stack whose parts start together."""
    document, target.model_info = target.model_info, {}
    target.model_info_status = 503
    process = start("--rate", 100, "--count", 10, "--wait-for-target", 30, "--json", "--seed", 1)
    line = read_line(process)

    target.model_info, target.model_info_status = document, 200

    assert line.startswith("waiting for the target, ")
    out, _ = process.communicate(timeout=30)
    assert json.loads(out)["answered"] == 10 and process.returncode == 0
