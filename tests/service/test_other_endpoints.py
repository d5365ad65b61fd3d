"""Health, model information, simulated traffic, metrics, and who may see them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest

from handler import create_app
from service.receipts import Receipts
from service.settings import read_settings
from telemetry.lifecycle import Telemetry
from tests.conftest import LocationRiskScorer
from tests.json_client import JsonClient, make_client


def test_health_shows_state_totals_resources_and_version(
    client: JsonClient, valid: dict[str, object]
) -> None:
    client.post("/predict", json=valid)
    answer = client.get("/health").json
    assert answer["status"] == "healthy"
    assert answer["total_predictions"] == 1
    assert answer["model_version"] == "1-abcd1234"
    assert answer["uptime_seconds"] >= 0
    assert all(0 <= answer["resources"][name] <= 100 for name in answer["resources"])
    assert set(answer["resources"]) == {"cpu_percent", "memory_percent", "disk_percent"}


@pytest.mark.parametrize(
    ("path", "status"), [("/health/live", "alive"), ("/health/ready", "ready")]
)
def test_probes_answer(client: JsonClient, path: str, status: str) -> None:
    assert client.get(path).json == {"status": status}


def test_model_info_shows_what_a_caller_needs(client: JsonClient) -> None:
    info = client.get("/model_info").json
    assert info["version"] == "1-abcd1234"
    assert info["last_training"] == "2023-11-14T22:13:20+00:00"
    assert info["features"][0]["name"] == "amount"
    assert info["features"][0]["maximum"] == 50000
    assert info["threshold"] == 0.5
    assert info["metrics"]["recall"] == 0.7
    assert info["risk_levels"] == {"medium": 0.3, "high": 0.7}


def test_examples_are_looked_for_once_and_not_at_the_start(
    scorer: LocationRiskScorer, client: JsonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each worker that replaces another would wait for them."""
    scored: list[int] = []
    score = scorer.score

    def count(rows: Sequence[Sequence[float]]) -> list[float]:
        scored.append(len(rows))
        return score(rows)

    monkeypatch.setattr(scorer, "score", count)
    first = client.get("/model_info").json
    assert sum(scored) > 400
    scored.clear()
    assert client.get("/model_info").json == first
    assert scored == []


def test_simulated_traffic_goes_through_the_same_counters(
    client: JsonClient, counted: Callable[..., float]
) -> None:
    """Scored and faulty ones add up to the number asked for, and each is counted."""
    done = client.post("/simulate_traffic", json={"num_requests": 500}).json
    scored = done["predictions"]["fraud"] + done["predictions"]["legitimate"]
    assert scored + done["errors"] == done["num_requests"] == 500
    assert counted("predictions_total", endpoint="/simulate_traffic") == scored
    assert (
        counted("errors_total", type="missing_field", endpoint="/simulate_traffic")
        == done["errors"]
    )
    assert counted("fraud_detection_score_count") == scored


def test_simulated_traffic_has_about_two_percent_errors(client: JsonClient) -> None:
    """2,500 draws at 2 %: 50 expected, standard deviation 7; five of them on either side."""
    errors = sum(
        client.post("/simulate_traffic", json={"num_requests": 500}).json["errors"]
        for _ in range(5)
    )
    assert 15 <= errors <= 85


def closed_client(
    scorer: LocationRiskScorer, recorded: Telemetry, environ: dict[str, str]
) -> JsonClient:
    app = create_app(scorer, recorded, Receipts(["key"]), read_settings(environ))
    return make_client(app)


SECRET = "a-secret-of-16-or-more"
GUARDED = [("GET", "/metrics"), ("GET", "/stats"), ("POST", "/simulate_traffic")]


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_token_is_asked_for_where_one_is_set(
    scorer: LocationRiskScorer, recorded: Telemetry, method: str, path: str
) -> None:
    client = closed_client(scorer, recorded, {"ACCESS_TOKEN": SECRET})
    refused = client.open(path, method=method, json={"num_requests": 1})
    assert refused.status_code == 401
    assert refused.json["error"]["type"] == "unauthorized"
    assert refused.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), GUARDED)
@pytest.mark.parametrize(
    "given", ["Bearer wrong", SECRET, f"Bearer {SECRET[:-1]}é", f"Basic {SECRET}"]
)
def test_wrong_token_is_refused(
    scorer: LocationRiskScorer, recorded: Telemetry, method: str, path: str, given: str
) -> None:
    client = closed_client(scorer, recorded, {"ACCESS_TOKEN": SECRET})
    headers = {"Authorization": given}
    assert (
        client.open(path, method=method, json={"num_requests": 1}, headers=headers).status_code
        == 401
    )


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_right_token_opens(
    scorer: LocationRiskScorer, recorded: Telemetry, method: str, path: str
) -> None:
    client = closed_client(scorer, recorded, {"ACCESS_TOKEN": SECRET})
    headers = {"Authorization": f"Bearer {SECRET}"}
    assert (
        client.open(path, method=method, json={"num_requests": 1}, headers=headers).status_code
        == 200
    )


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_public_platform_without_a_token_is_closed(
    scorer: LocationRiskScorer, recorded: Telemetry, method: str, path: str
) -> None:
    """Safe by default: on Railway nothing opens these two but a token."""
    client = closed_client(scorer, recorded, {"RAILWAY_ENVIRONMENT_NAME": "production"})
    headers = {"Authorization": "Bearer "}
    assert (
        client.open(path, method=method, json={"num_requests": 1}, headers=headers).status_code
        == 401
    )


def test_predictions_need_no_token(
    scorer: LocationRiskScorer, recorded: Telemetry, valid: dict[str, object]
) -> None:
    client = closed_client(scorer, recorded, {"ACCESS_TOKEN": SECRET})
    assert client.post("/predict", json=valid).status_code == 200


def test_openmetrics_is_given_where_it_is_asked_for(client: JsonClient) -> None:
    answer = client.get(
        "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}
    )
    assert answer.text.endswith("# EOF\n")


def test_stats_are_counts_by_class_and_by_time(
    client: JsonClient, valid: dict[str, object]
) -> None:
    """Cumulative, as Prometheus has buckets; only answers to /predict."""
    assert client.get("/stats").json["predictions"] == {"legitimate": 0, "fraud": 0}
    for risk in (0.1, 0.9, 0.9):
        client.post("/predict", json={**valid, "location_risk": risk})
    stats = client.get("/stats").json
    assert stats["model_version"] == "1-abcd1234"
    assert stats["predictions"] == {"legitimate": 1, "fraud": 2}
    counts = list(stats["predict_seconds"].values())
    assert counts == sorted(counts) and counts[-1] == 3
    assert list(stats["predict_seconds"])[-1] == "+Inf"


def test_answer_names_its_trace(client: JsonClient, valid: dict[str, object]) -> None:
    """Probes have none."""
    header = client.post("/predict", json=valid).headers["traceresponse"]
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", header)
    assert "traceresponse" not in client.get("/health").headers
