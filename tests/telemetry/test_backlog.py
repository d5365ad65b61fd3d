"""The queue of connections that nobody has accepted yet."""

from __future__ import annotations

import socket
import sys

import pytest

from telemetry.backlog import Backlog


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how long the queue is")
def test_connections_that_wait_are_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        backlog = Backlog(listener.getsockname()[1])
        assert backlog.count() == 0
        callers = [socket.create_connection(listener.getsockname()) for _ in range(3)]
        assert backlog.count() == 3
        accepted = [listener.accept()[0]]
        assert backlog.count() == 2
        for each in (*callers, *accepted):
            each.close()


def test_nobody_waits_where_nothing_listens() -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        assert Backlog(unheard.getsockname()[1]).count() == 0


def test_socket_that_was_closed_has_no_queue() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    backlog = Backlog(listener.getsockname()[1])
    listener.close()
    assert backlog.count() == 0
