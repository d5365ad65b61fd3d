"""A busy port is reported before anything starts: which, whose, and what moves it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from stack import ports
from stack.errors import StackError


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def test_check_free_names_port_holder_and_setting(listener: socket.socket) -> None:
    port = port_of(listener)
    with pytest.raises(StackError) as error:
        ports.check_free({"PROMETHEUS_PORT": port})
    said = str(error.value)
    assert f"Port {port} of Prometheus is busy" in said
    assert f"pid {os.getpid()}: " in said
    assert "set PROMETHEUS_PORT to a free port" in said


def test_check_free_suggests_a_port_that_is_free(listener: socket.socket) -> None:
    with pytest.raises(StackError, match="for example PORT=") as error:
        ports.check_free({"PORT": port_of(listener)})
    suggested = int(str(error.value).rsplit("PORT=", 1)[1].rstrip("."))
    assert not ports.is_busy(suggested)


def test_check_free_names_every_busy_port(listener: socket.socket) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(StackError) as error:
        ports.check_free({"PORT": port_of(listener), "OTLP_PORT": port_of(other)})
    assert "PORT" in str(error.value) and "OTLP_PORT" in str(error.value)
    assert str(error.value).count("is busy") == 2


def test_check_free_accepts_a_port_that_was_just_released(listener: socket.socket) -> None:
    """A connection in TIME_WAIT must not keep a second start from happening."""
    port = port_of(listener)
    with socket.create_connection(("127.0.0.1", port)):
        accepted, _ = listener.accept()
        accepted.close()
    listener.close()
    ports.check_free({"PORT": port})


def test_check_free_refuses_one_port_for_two() -> None:
    with pytest.raises(StackError, match="OTLP_PORT and PORT both take 5001"):
        ports.check_free({"PORT": 5001, "OTLP_PORT": 5001})


def test_check_free_looks_at_a_whole_row_of_ports(listener: socket.socket) -> None:
    """The fourth of ten is busy; the suggestion is a row too."""
    first = port_of(listener) - 3
    with pytest.raises(StackError) as error:
        ports.check_free({"CORTEX_PORT": first})
    said = str(error.value)
    assert f"Port {port_of(listener)} of Cortex is busy" in said
    assert "set CORTEX_PORT to the first of 10 free ports, for example CORTEX_PORT=" in said
    suggested = int(said.rsplit("CORTEX_PORT=", 1)[1].rstrip("."))
    assert not any(ports.is_busy(port) for port in range(suggested, suggested + 10))


def test_is_busy_sees_a_listener_on_all_addresses() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        assert ports.is_busy(port_of(server))


def test_is_busy_sees_a_listener_on_ipv6_loopback() -> None:
    """Browsers ask ::1 first for localhost: whoever holds it would answer in our place."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        assert ports.is_busy(port_of(server))
