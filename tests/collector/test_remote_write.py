"""The route `remote-write`: any store by address, with its credentials and its tenant."""

from __future__ import annotations

import pytest

from tests.collector.test_routes import (
    CONTRACT,
    count_one_of_each,
    names_and_labels,
    wait_for_counts,
)
from tests.lab.collector import Collector
from tests.lab.faulty_proxy import faulty_proxy
from tests.lab.fixtures import MakeCollector
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.sdk_worker import sdk_worker
from tests.lab.write_store import BEARER, PASSWORD, TENANT, USER, basic_header, write_settings

pytestmark = pytest.mark.stack

BASIC = {"REMOTE_WRITE_USERNAME": USER, "REMOTE_WRITE_PASSWORD": PASSWORD}
TOKEN = {"REMOTE_WRITE_BEARER_TOKEN": BEARER}
FOR_TENANT = {"REMOTE_WRITE_TENANT": TENANT}
SENT = {
    "nothing": ({}, {}),
    "basic authentication": (BASIC, {"Authorization": basic_header(USER, PASSWORD)}),
    "bearer token": (TOKEN, {"Authorization": f"Bearer {BEARER}"}),
    "tenant": (FOR_TENANT, {"X-Scope-Orgid": TENANT}),
    "token and tenant": (
        TOKEN | FOR_TENANT,
        {"Authorization": f"Bearer {BEARER}", "X-Scope-Orgid": TENANT},
    ),
    "a tenant that is a number": ({"REMOTE_WRITE_TENANT": "0010"}, {"X-Scope-Orgid": "0010"}),
}


@pytest.mark.parametrize(("settings", "demanded"), SENT.values(), ids=SENT.keys())
def test_store_gets_the_contracts_series_with_what_it_asks_for(
    make_collector: MakeCollector,
    prometheus: Prometheus,
    settings: dict[str, str],
    demanded: dict[str, str],
) -> None:
    """Behind a proxy that wants these headers, names and labels are those of every other route."""
    with faulty_proxy(prometheus.url) as target:
        target.demanded = demanded
        running = make_collector(**write_settings(target.url, **settings)).start()
        with sdk_worker(running.endpoint) as worker:
            count_one_of_each(worker)
            wait_for_counts(prometheus)
        assert target.seen["401"] == 0
    assert names_and_labels(prometheus.series()) == CONTRACT
    instance = {("instance", "laptop-0"), ("job", "fraud-handler")}
    assert all(instance <= set(each) for each in prometheus.series())


ODD = ("a$$b${env:HOME}", "#hash", "{brace", "~", "null", "*star", "&and", "%25", "0010", "1e3")


@pytest.mark.parametrize("odd", ODD)
def test_password_arrives_as_it_is(
    make_collector: MakeCollector, prometheus: Prometheus, odd: str
) -> None:
    """The configuration language would take some of these for something else than text."""
    with faulty_proxy(prometheus.url) as target:
        target.demanded = {"Authorization": basic_header(USER, odd)}
        settings = BASIC | {"REMOTE_WRITE_PASSWORD": odd}
        running = make_collector(**write_settings(target.url, **settings)).start()
        with sdk_worker(running.endpoint) as worker:
            worker.predict(9)
            assert worker.push()
            wait_for_counts(prometheus)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (BASIC | {"REMOTE_WRITE_PASSWORD": "wrong-password"}, BASIC),
        ({"REMOTE_WRITE_BEARER_TOKEN": "wrong-token"}, TOKEN),
    ],
    ids=["basic authentication", "bearer token"],
)
def test_wrong_credentials_are_named_and_nothing_is_lost_by_them(
    make_collector: MakeCollector,
    prometheus: Prometheus,
    wrong: dict[str, str],
    right: dict[str, str],
) -> None:
    """One sentence names the variables, no secret is shown; the right ones bring all of it."""
    with faulty_proxy(prometheus.url) as target:
        header = f"Bearer {BEARER}" if right is TOKEN else basic_header(USER, PASSWORD)
        target.demanded = {"Authorization": header}
        running = make_collector(**write_settings(target.url, **wrong)).start()
        with sdk_worker(running.endpoint) as worker:
            worker.predict(9)
            assert worker.push()
            until(lambda: bool(refusals(running)), 30, "the refusal is logged")
            assert prometheus.series() == set()
            running.terminate()
            running.env.update(right)
            running.start()
            wait_for_counts(prometheus)
    assert refusals(running)[0] == (
        "The target refuses the credentials: check REMOTE_WRITE_USERNAME and "
        "REMOTE_WRITE_PASSWORD, or REMOTE_WRITE_BEARER_TOKEN. "
        "What it did not take is kept in the queue and sent again."
    )
    for secret in (*wrong.values(), *right.values()):
        assert secret == USER or secret not in running.output()


def refusals(running: Collector) -> list[str]:
    """The logged sentences about credentials."""
    return [line["msg"] for line in running.logged_errors() if "credentials" in line["msg"]]
