"""The running service does what its /openapi.json says, and refuses what that does not allow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.contract import count_cases, run_schemathesis
from tests.lab.fixtures import StartHandler


@pytest.mark.stack
def test_service_keeps_the_contract_that_it_describes(
    start_handler: StartHandler, tmp_path: Path
) -> None:
    handler = start_handler(LOG_LEVEL="warning")
    code, report = run_schemathesis(handler.url, 25, tmp_path)
    assert code == 0, report[-5000:]
    assert count_cases(report) > 200
    assert "a request failed" not in handler.output()
