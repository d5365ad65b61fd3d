"""The address before several replicas: connections in turn, none to one that has left."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from bench.scale.balancer import Balancer
from tests.lab.http_server import QuietHandler, Server, serve


class Port(QuietHandler):
    """Answers with the port that was reached."""

    def do_GET(self) -> None:
        self.answer(200, str(self.connection.getsockname()[1]).encode())


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    with ExitStack() as stack:
        yield [stack.enter_context(serve(Port)) for _ in range(2)]


def reached(connection: http.client.HTTPConnection) -> int:
    connection.request("GET", "/")
    return int(connection.getresponse().read())


def connect(balancer: Balancer) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", balancer.port, timeout=10)


def test_new_connections_go_to_those_that_are_there(servers: list[Server]) -> None:
    first, second = (one.server_port for one in servers)
    with Balancer() as balancer:
        balancer.endpoints = (first, second)
        asked = []
        for _ in range(4):
            with closing(connect(balancer)) as connection:
                asked.append(reached(connection))
        assert sorted(asked) == sorted([first, second] * 2)
        balancer.endpoints = (second,)
        with closing(connect(balancer)) as connection:
            assert reached(connection) == second


def test_open_connection_stays_with_one_that_leaves(servers: list[Server]) -> None:
    """As with a Service: whoever leaves answers what it has begun."""
    first, second = (one.server_port for one in servers)
    with Balancer() as balancer:
        balancer.endpoints = (first,)
        with closing(connect(balancer)) as connection:
            assert reached(connection) == first
            balancer.endpoints = (second,)
            assert reached(connection) == first


def test_connection_to_nobody_is_closed() -> None:
    refused = (http.client.RemoteDisconnected, ConnectionResetError)
    with (
        Balancer() as balancer,
        closing(connect(balancer)) as connection,
        pytest.raises(refused),
    ):
        reached(connection)
