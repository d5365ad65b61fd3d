"""X-Fault: real delays and failures where FAULT_HEADERS is on, nothing where it is off."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import pytest

from handler import create_app
from service.receipts import Receipts
from service.settings import SettingError, Settings, read_settings
from telemetry.lifecycle import Telemetry
from tests.conftest import LocationRiskScorer
from tests.json_client import JsonClient, make_client


@pytest.fixture
def switched(scorer: LocationRiskScorer, recorded: Telemetry, settings: Settings) -> JsonClient:
    """A client of the service with the switch on."""
    on = dataclasses.replace(settings, fault_headers=True)
    return make_client(create_app(scorer, recorded, Receipts(["key"]), on))


def ask(client: JsonClient, valid: dict[str, object], fault: str) -> Any:
    return client.post("/predict", json=valid, headers={"X-Fault": fault})


def test_delay_is_in_the_path_of_the_request(
    switched: JsonClient, valid: dict[str, object], counted: Callable[..., float]
) -> None:
    """The answer is the usual one, and its latency is measured with the delay."""
    start = time.monotonic()

    answer = ask(switched, valid, "delay=300ms")

    assert answer.status_code == 200 and answer.json["prediction"] == "legitimate"
    assert time.monotonic() - start >= 0.3
    assert counted("http_request_duration_seconds_sum", endpoint="/predict") >= 0.3


def test_failure_goes_the_way_of_every_exception(
    switched: JsonClient, valid: dict[str, object], counted: Callable[..., float]
) -> None:
    """500 in the shape of every error, counted as one."""
    answer = ask(switched, valid, "error")

    assert answer.status_code == 500 and answer.json["error"]["type"] == "internal"
    assert counted("errors_total", type="internal", endpoint="/predict") == 1
    assert counted("http_requests_total", endpoint="/predict", status="500") == 1
    assert counted("predictions_total") == 0


@pytest.mark.parametrize(
    "fault", ["", "delay", "delay=1s", "delay=-5ms", "delay=10001ms", "delay=99999999ms", "Error"]
)
def test_other_value_is_refused(switched: JsonClient, valid: dict[str, object], fault: str) -> None:
    """400 and one sentence, never a silent guess."""
    answer = ask(switched, valid, fault)

    assert answer.status_code == 400
    assert answer.json["error"]["field"] == "X-Fault"
    assert "error or delay=<milliseconds, at most 10000>ms" in answer.json["error"]["message"]


def test_other_endpoints_do_not_obey(switched: JsonClient) -> None:
    """What watches the service must not be held."""
    assert switched.get("/health", headers={"X-Fault": "error"}).status_code == 200
    assert switched.get("/metrics", headers={"X-Fault": "nonsense"}).status_code == 200


@pytest.mark.parametrize("fault", ["error", "delay=9000ms", "nonsense"])
def test_header_is_ignored_where_it_is_off(
    client: JsonClient, valid: dict[str, object], fault: str
) -> None:
    """The default."""
    assert ask(client, valid, fault).status_code == 200


def test_switch_is_reported_at_the_start(
    scorer: LocationRiskScorer,
    recorded: Telemetry,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever runs it with faults allowed reads so; without, nothing is said."""
    create_app(scorer, recorded, Receipts(["key"]), settings)
    silent = caplog.text
    on = dataclasses.replace(settings, fault_headers=True)

    create_app(scorer, recorded, Receipts(["key"]), on)

    assert "FAULT_HEADERS" not in silent
    assert "FAULT_HEADERS=on: any caller may slow or fail /predict" in caplog.text


def test_switch_cannot_be_on_at_a_public_address() -> None:
    """One sentence stops the start."""
    environ = {"RAILWAY_ENVIRONMENT": "production", "FAULT_HEADERS": "on"}

    with pytest.raises(SettingError, match="FAULT_HEADERS must be off on a public platform"):
        read_settings(environ)
