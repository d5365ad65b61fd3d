"""What a worker does each second: the master hears from it, unless it is stuck, and who held a
connection for too long is sent away."""

from __future__ import annotations

import asyncio
import os
from itertools import pairwise
from typing import Any, cast

import pytest
from flask import Flask
from gunicorn.workers.base import Worker

from handler import create_asgi_app
from service.asgi.application import AsgiApplication
from service.asgi.worker import BoundedServer, build_config


class Master:
    """What the server uses of gunicorn's worker."""

    def __init__(self) -> None:
        self.ppid = os.getppid()
        self.heard = 0

    def notify(self) -> None:
        self.heard += 1


def make_server(application: AsgiApplication, master: Master) -> BoundedServer:
    """As a worker has it, not started."""
    server = BoundedServer(build_config(application), application, cast("Worker", master))
    server.config.load()
    return server


@pytest.mark.parametrize(("stuck", "heard"), [(False, 3), (True, 0)])
def test_worker_that_is_stuck_is_silent(
    app: Flask, monkeypatch: pytest.MonkeyPatch, stuck: bool, heard: int
) -> None:
    """Once a second, of the ten looks at the clock in it; it goes on serving meanwhile."""
    monkeypatch.setattr(AsgiApplication, "is_stuck", lambda _: stuck)
    master = Master()
    server = make_server(create_asgi_app(app), master)

    async def tick() -> list[bool]:
        return [await server.on_tick(counter) for counter in range(30)]

    assert asyncio.run(tick()) == [False] * 30
    assert master.heard == heard


class Late:
    """A connection that has been held for too long."""

    def __init__(self, said: list[str]) -> None:
        self._said = said

    def close_if_late(self, _: float) -> bool:
        self._said.append("closed")
        return True


def test_crowd_that_is_late_keeps_the_loop_from_nobody(app: Flask) -> None:
    """Between two of its connections whoever else is ready has a turn."""
    said: list[str] = []
    server = make_server(create_asgi_app(app), Master())
    server.server_state.connections.update(cast("Any", [Late(said) for _ in range(20)]))

    async def serve() -> None:
        while True:
            said.append("served")
            await asyncio.sleep(0)

    async def tick() -> None:
        serving = asyncio.create_task(serve())
        await server.on_tick(0)
        serving.cancel()

    asyncio.run(tick())
    assert said.count("closed") == 20
    assert ("closed", "closed") not in pairwise(said)
