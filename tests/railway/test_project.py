"""What .railway/railway.py compiles to: three services, one of them public, and one volume."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.settings import TABLE
from tests.railway.conftest import compile_graph

Services = dict[str, dict[str, Any]]

DEPLOY_KEYS: dict[str, type] = {
    "startCommand": str,
    "healthcheckPath": str,
    "healthcheckTimeout": int,
    "restartPolicyType": str,
    "restartPolicyMaxRetries": int,
    "drainingSeconds": int,
    "overlapSeconds": int,
    "sleepApplication": bool,
    "numReplicas": int,
    "cronSchedule": str,
}
"""The keys of `deploy` that the project uses, with the type that Railway's schema gives them."""


def literal(service: dict[str, Any], name: str) -> str:
    value = service["variables"][name]
    assert value["type"] == "literal"
    text: str = value["value"]
    return text


def test_project_is_three_services_and_one_volume(graph: dict[str, Any]) -> None:
    kinds = sorted((r["type"], r["name"]) for r in graph["resources"])
    assert kinds == [
        ("service", "collector"),
        ("service", "handler"),
        ("service", "simulator"),
        ("volume", "collector-queue"),
    ]


def test_volume_fits_the_free_plan(graph: dict[str, Any]) -> None:
    [volume] = [r for r in graph["resources"] if r["type"] == "volume"]
    assert volume["config"] == {"sizeMB": 500}


def test_volume_is_where_the_collector_keeps_its_queue(services: Services) -> None:
    [mount] = services["collector"]["volumeAttachments"].values()
    assert mount["mountPath"] == literal(services["collector"], "COLLECTOR_QUEUE_DIR")


@pytest.mark.parametrize("name", ["collector", "handler", "simulator"])
def test_no_service_opens_a_port_by_itself(services: Services, name: str) -> None:
    """The one public address is the handler's, and deploy_railway.sh makes it."""
    assert "networking" not in services[name]


@pytest.mark.parametrize("name", ["collector", "handler", "simulator"])
def test_deploy_settings_have_their_types(services: Services, name: str) -> None:
    deploy = services[name]["deploy"]
    assert {key: type(value) for key, value in deploy.items()} == {
        key: DEPLOY_KEYS[key] for key in deploy
    }


def test_handler_has_time_to_flush_before_it_is_killed(services: Services) -> None:
    [shutdown] = [int(s.default) for s in TABLE if s.name == "SHUTDOWN_SECONDS"]
    assert services["handler"]["deploy"]["drainingSeconds"] >= shutdown + 5


@pytest.mark.parametrize("name", ["collector", "handler"])
def test_long_running_services_may_sleep(services: Services, name: str) -> None:
    assert services[name]["deploy"]["sleepApplication"] is True


@pytest.mark.parametrize("name", ["collector", "handler", "simulator"])
def test_each_service_builds_a_stage_of_the_dockerfile(
    services: Services, root: Path, name: str
) -> None:
    stages = re.findall(r"^FROM .+ AS (\S+)$", (root / "Dockerfile").read_text(), re.MULTILINE)
    assert services[name]["build"] == {"builder": "DOCKERFILE", "dockerfilePath": "Dockerfile"}
    assert literal(services[name], "SERVICE") in stages
    assert "source" not in services[name]


def test_every_reference_names_a_service(services: Services, graph: dict[str, Any]) -> None:
    named = set(re.findall(r"\$\{\{(\w+)\.", json.dumps(graph)))
    named |= {
        value["resource"].removeprefix("service.")
        for service in services.values()
        for value in service["variables"].values()
        if value["type"] == "reference"
    }
    assert named == {"handler", "collector"}


def test_secrets_are_kept_and_never_written(services: Services) -> None:
    secret = re.compile("TOKEN|KEY|REDIS_URL|GRAFANA_CLOUD_OTLP")
    kinds = {
        (service["name"], name): value["type"]
        for service in services.values()
        for name, value in service["variables"].items()
        if secret.search(name)
    }
    assert kinds == {
        ("collector", "GRAFANA_CLOUD_OTLP_ENDPOINT"): "preserve",
        ("collector", "GRAFANA_CLOUD_OTLP_ID"): "preserve",
        ("collector", "GRAFANA_CLOUD_TOKEN"): "preserve",
        ("handler", "ACCESS_TOKEN"): "preserve",
        ("handler", "FEEDBACK_TOKEN"): "preserve",
        ("handler", "METRICS_TOKEN"): "preserve",
        ("handler", "PREDICT_TOKEN"): "preserve",
        ("handler", "RECEIPT_KEYS"): "preserve",
        ("handler", "REDIS_URL"): "preserve",
        ("simulator", "ACCESS_TOKEN"): "reference",
    }


def test_every_secret_of_the_handler_outlives_a_deployment(services: Services) -> None:
    """What the file does not name is removed by the next deployment."""
    secret = {setting.name for setting in TABLE if setting.secret}
    assert secret <= set(services["handler"]["variables"])


def test_handler_is_given_settings_that_it_has(services: Services) -> None:
    known = {setting.name for setting in TABLE} | {"SERVICE"}
    names = {name for name in services["handler"]["variables"] if not name.startswith("OTEL_")}
    assert names <= known


def test_simulator_runs_at_least_five_minutes_apart(services: Services) -> None:
    """Railway's shortest interval; one fixed minute in an hour is 60 minutes at least."""
    minute, hour, *rest = services["simulator"]["deploy"]["cronSchedule"].split()
    assert minute.isdigit() and rest == ["*", "*", "*"] and hour.startswith("*/")
    assert services["simulator"]["deploy"]["restartPolicyType"] == "NEVER"


def test_simulator_is_bounded_and_takes_its_flags(services: Services, root: Path) -> None:
    python, *words = shlex.split(services["simulator"]["deploy"]["startCommand"])
    assert python == "python"
    assert {"--count", "--duration"} <= set(words)
    ran = subprocess.run([sys.executable, *words, "--help"], cwd=root, capture_output=True)
    assert ran.returncode == 0, ran.stderr.decode()


def test_github_source_is_used_when_asked_for(railway_env: Path) -> None:
    graph = compile_graph(railway_env, GITHUB_REPO="owner/name")
    assert json.dumps(graph).count('"repo": "owner/name"') == 3


def test_schedule_can_be_changed(railway_env: Path) -> None:
    graph = compile_graph(railway_env, SIMULATOR_CRON="17 * * * *")
    assert '"cronSchedule": "17 * * * *"' in json.dumps(graph)
