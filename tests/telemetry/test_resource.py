"""Who speaks: the attributes that the SDK parsed, with the worker's slot in the instance."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from stack.native import environment
from telemetry.lifecycle import Telemetry, start
from telemetry.resource import build_resource, name_job
from tests.conftest import FACTS, SILENT


def test_instance_is_the_place_of_the_worker(recorded: Telemetry) -> None:
    resource = recorded.collect().resource_metrics[0].resource.attributes
    assert resource["service.name"] == "fraud-handler"
    assert str(resource["service.instance.id"]).endswith("-0")


def test_instance_of_the_environment_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=pod-7")
    telemetry = start(tmp_path, FACTS, 5000, {**SILENT, **os.environ})
    resource = telemetry.collect().resource_metrics[0].resource.attributes
    telemetry.close(1)
    assert resource["service.instance.id"] == "pod-7-0"


HOST = socket.gethostname()


@pytest.mark.parametrize(
    ("attributes", "name", "service", "instance"),
    [
        ("", "", "fraud-handler", HOST),
        ("peer.service.name=bank", "", "fraud-handler", HOST),
        ("my.service.instance.id=7", "", "fraud-handler", HOST),
        ("note=service.name=x", "", "fraud-handler", HOST),
        ("service.name=", "", "fraud-handler", HOST),
        ("service.instance.id=", "", "fraud-handler", HOST),
        ("service.name = cards , service.instance.id = pod-7", "", "cards", "pod-7"),
        ("service.instance.id=pod%2D7", "", "fraud-handler", "pod-7"),
        ("service.name=cards", "payments", "payments", HOST),
        ("service.instance.id=a,service.instance.id=b", "payments", "payments", "b"),
    ],
)
def test_attributes_are_those_that_the_sdk_parsed(
    monkeypatch: pytest.MonkeyPatch, attributes: str, name: str, service: str, instance: str
) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", attributes)
    monkeypatch.setenv("OTEL_SERVICE_NAME", name)
    found = build_resource(3).attributes
    assert found["service.name"] == service
    assert found["service.instance.id"] == f"{instance}-3"


def test_other_attributes_of_the_environment_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "peer.service.name=bank,team=risk")
    found = build_resource(0).attributes
    assert (found["peer.service.name"], found["team"]) == ("bank", "risk")


@pytest.mark.parametrize(
    ("attributes", "name", "job"),
    [
        ("", "", "fraud-handler"),
        ("", "loans", "loans"),
        ("deployment.environment.name=staging", "", "staging/fraud-handler"),
        ("service.namespace=risk", "loans", "risk/loans"),
        ("service.namespace=risk,deployment.environment.name=a%20b", "", "risk/a b/fraud-handler"),
    ],
)
def test_job_is_what_the_collector_makes_of_it(
    monkeypatch: pytest.MonkeyPatch, attributes: str, name: str, job: str
) -> None:
    """tests/collector/test_routes.py has the Collector's side; the start says it to the probe."""
    given = {"OTEL_RESOURCE_ATTRIBUTES": attributes, "OTEL_SERVICE_NAME": name}
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)
    assert name_job(build_resource(0)) == environment.name_job(given) == job
