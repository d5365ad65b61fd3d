"""PROBE_URL: one series says whether the service answers, whatever it pushes."""

from __future__ import annotations

import pytest

from tests.lab.fixtures import MakeCollector, StartHandler
from tests.lab.polling import until
from tests.lab.ports import free_port
from tests.lab.prometheus import Prometheus

pytestmark = pytest.mark.stack

PROBE = 'probe_success{job="fraud-handler", instance="probe"}'


def test_probe_tells_a_service_that_is_gone_from_one_that_is_idle(
    make_collector: MakeCollector, prometheus: Prometheus, start_handler: StartHandler
) -> None:
    """An idle service exports nothing; the probe is 1 while it lives, 0 once it is killed."""
    handler = start_handler()
    url = f"{handler.url}/health/ready"
    make_collector(PROMETHEUS_URL=prometheus.url, PROBE_URL=url, PROBE_INTERVAL="1s").start()
    until(lambda: prometheus.number(PROBE) == 1, 30, "the probe has its answer")
    handler.kill()
    until(lambda: prometheus.number(PROBE) == 0, 30, "the probe has no answer")
    names = {dict(one)["__name__"] for one in prometheus.series('{instance="probe"}')}
    assert names == {"probe_success"}


def test_each_of_several_collectors_that_ask_writes_a_series_of_its_own(
    make_collector: MakeCollector, prometheus: Prometheus, start_handler: StartHandler
) -> None:
    """PROBE_INSTANCE: two in one series would answer each other's samples."""
    given = {"PROMETHEUS_URL": prometheus.url, "PROBE_INTERVAL": "1s"}
    url = f"{start_handler().url}/health/ready"
    make_collector(PROBE_URL=url, PROBE_INSTANCE="collector-1", **given).start()
    own = 'probe_success{job="fraud-handler", instance="collector-1"}'
    until(lambda: prometheus.number(own) == 1, 30, "its probe has an answer")
    assert prometheus.number(PROBE) is None


@pytest.mark.parametrize(
    ("given", "job"),
    [
        ({"PROBED_SERVICE_NAME": "loans"}, "loans"),
        ({"PROBED_SERVICE_NAME": "loans", "PROBE_SERVICE": "staging/loans"}, "staging/loans"),
    ],
    ids=["name", "job"],
)
def test_probe_is_of_the_job_that_is_said(
    make_collector: MakeCollector, prometheus: Prometheus, given: dict[str, str], job: str
) -> None:
    """The whole job where it is set, else the service's name, which compose gives."""
    nobody = f"http://127.0.0.1:{free_port()}/"
    said = {"PROMETHEUS_URL": prometheus.url, "PROBE_URL": nobody, "PROBE_INTERVAL": "1s"}
    make_collector(**said, **given).start()
    until(lambda: prometheus.number(f'probe_success{{job="{job}"}}') == 0, 30, "it was asked")
