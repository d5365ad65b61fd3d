"""The queue of connections that nobody has accepted yet."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics.export import NumberDataPoint

from telemetry.backlog import Backlog
from telemetry.lifecycle import Telemetry, start
from telemetry.metrics import QUEUE_SIZE
from telemetry.store.slots import Slots, is_alive
from tests.conftest import FACTS, SILENT
from tests.telemetry.store.test_slots import Worker, make_layout


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


def pushed_queue_size(telemetry: Telemetry) -> float:
    """What the worker says of the queue in its next push."""
    [collected] = telemetry.collect().resource_metrics
    metrics = (metric for scope in collected.scope_metrics for metric in scope.metrics)
    [point] = next(one for one in metrics if one.name == QUEUE_SIZE.name).data.data_points
    assert isinstance(point, NumberDataPoint)
    return point.value


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how long the queue is")
def test_queue_is_pushed_by_one_worker_also_when_the_first_slot_is_nobodys(tmp_path: Path) -> None:
    """As after a worker's replacement: its successor has the slot that was free before."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        first = Worker(tmp_path, 0)
        telemetry = start(tmp_path, FACTS, listener.getsockname()[1], SILENT, spare=2)
        with socket.create_connection(listener.getsockname()):
            assert pushed_queue_size(telemetry) == 0
            first.kill()
            assert pushed_queue_size(telemetry) == 1
        telemetry.close(1)


def test_slot_that_is_reserved_is_no_workers(tmp_path: Path) -> None:
    """Its process is 0, which the system takes for one's own group."""
    telemetry = start(tmp_path, FACTS, 5000, SILENT, spare=1)
    slots = Slots(tmp_path, make_layout())
    assert [is_alive(cells) for cells in slots.read().values()] == [True, False]
    telemetry.close(1)
