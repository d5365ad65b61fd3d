"""One client has so many requests a second, in bounded memory; the others do not feel it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from handler import create_app
from service.client_limit import PUBLIC_RATE, ClientLimit, build_client_limit, find_client
from service.errors import ApiError
from service.receipts import Receipts
from service.settings import SettingError, read_settings
from telemetry.lifecycle import Telemetry
from tests.conftest import LocationRiskScorer, total
from tests.json_client import make_client

PUBLIC = {"HOST": "0.0.0.0", "ALLOW_OPEN": "true"}


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def allowed(limit: ClientLimit, client: str, requests: int) -> int:
    """How many of so many requests may go on."""
    passed = 0
    for _ in range(requests):
        try:
            limit.check(client)
        except ApiError:
            continue
        passed += 1
    return passed


def test_burst_and_then_the_rate() -> None:
    clock = Clock()
    limit = ClientLimit(10, clock=clock)
    assert allowed(limit, "192.0.2.1", 100) == 20
    clock.now += 1
    assert allowed(limit, "192.0.2.1", 100) == 10
    clock.now += 3600
    assert allowed(limit, "192.0.2.1", 100) == 20


def test_clients_have_an_allowance_each() -> None:
    limit = ClientLimit(10, clock=Clock())
    assert [allowed(limit, client, 100) for client in ("192.0.2.1", "192.0.2.2")] == [20, 20]


def test_refusal_says_when_to_come_again() -> None:
    limit = ClientLimit(0.1, clock=Clock())
    with pytest.raises(ApiError) as refused:
        limit.check("192.0.2.1")
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "8"})


def test_memory_is_bounded_and_who_is_seen_stays() -> None:
    """A million addresses push out each other, not the one that keeps asking."""
    limit = ClientLimit(1, most_clients=100, clock=Clock())
    for number in range(10_000):
        limit.check(f"10.0.{number >> 8}.{number & 255}")
        allowed(limit, "192.0.2.1", 1)
    assert len(limit._whole_at) == 100
    assert allowed(limit, "192.0.2.1", 10) == 0


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "client"),
    [
        pytest.param("192.0.2.1", "", 0, "192.0.2.1", id="who is connected"),
        pytest.param("192.0.2.1", "198.51.100.7", 0, "192.0.2.1", id="nobody's word is taken"),
        pytest.param("10.0.0.1", "198.51.100.7", 1, "198.51.100.7", id="whom the proxy names"),
        pytest.param("10.0.0.1", "1.1.1.1, 198.51.100.7", 1, "198.51.100.7", id="a made-up entry"),
        pytest.param("10.0.0.1", "9.9.9.9,198.51.100.7,10.0.0.2", 2, "198.51.100.7", id="two"),
        pytest.param("192.0.2.1", "", 1, "192.0.2.1", id="past the proxy"),
        pytest.param("192.0.2.1", "198.51.100.7", 2, "192.0.2.1", id="past one of two"),
        pytest.param("10.0.0.1", "198.51.100.7:4711", 1, "198.51.100.7", id="with a port"),
        pytest.param("10.0.0.1", "[2001:db8:0:1::7]:443", 1, "2001:db8:0:1::", id="IPv6, port"),
        pytest.param("2001:db8:0:1:2:3:4:5", "", 0, "2001:db8:0:1::", id="IPv6 network"),
        pytest.param("::ffff:192.0.2.1", "", 0, "192.0.2.1", id="IPv4 in IPv6"),
        pytest.param("fe80::1%eth0", "", 0, "fe80::", id="IPv6 with a zone"),
        pytest.param("", "", 0, "unknown", id="a unix socket"),
        pytest.param("10.0.0.1", "unknown", 1, "unknown", id="no address"),
        pytest.param("10.0.0.1", "x" * 5000, 1, "unknown", id="rubbish"),
    ],
)
def test_client_is_whom_only_trusted_proxies_name(
    peer: str, forwarded: str, proxies: int, client: str
) -> None:
    assert find_client(peer, forwarded, proxies) == client


@pytest.mark.parametrize(
    ("environ", "limited"),
    [
        ({}, False),
        (PUBLIC, True),
        (PUBLIC | {"CLIENT_RATE_LIMIT": "0"}, False),
        ({"CLIENT_RATE_LIMIT": "5"}, True),
    ],
)
def test_limit_is_on_where_others_reach_the_service(environ: dict[str, str], limited: bool) -> None:
    assert (build_client_limit(read_settings(environ)) is not None) == limited


@pytest.mark.parametrize("value", ["-1", "1.5", "many", "²"])
def test_rate_that_cannot_be_used_is_refused(value: str) -> None:
    with pytest.raises(SettingError, match="CLIENT_RATE_LIMIT must be auto or a whole number"):
        read_settings({"CLIENT_RATE_LIMIT": value})


def test_flood_is_answered_429_and_counted_and_probes_are_not_refused(
    scorer: LocationRiskScorer,
    recorded: Telemetry,
    valid: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # All in one moment, however slow the machine is.
    monkeypatch.setattr("service.client_limit.ClientLimit", partial(ClientLimit, clock=Clock()))
    settings = read_settings(PUBLIC | {"TRUSTED_PROXIES": "1"})
    client = make_client(create_app(scorer, recorded, Receipts(["key"]), settings))

    def ask(address: str) -> Any:
        headers = {"X-Forwarded-For": f"192.0.2.99, {address}"}
        return client.post("/predict", json=valid, headers=headers)

    answers = [ask("192.0.2.1") for _ in range(4 * PUBLIC_RATE)]
    refused = [one for one in answers if one.status_code == 429]
    assert len(refused) >= PUBLIC_RATE
    assert refused[0].json["error"]["type"] == "too_many_requests"
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert ask("192.0.2.2").status_code == 200
    probes = {client.get("/health/live").status_code for _ in range(4 * PUBLIC_RATE)}
    assert probes == {200}
    counted = total(client.get("/metrics").text, "errors_total", type="too_many_requests")
    assert counted == len(refused)
