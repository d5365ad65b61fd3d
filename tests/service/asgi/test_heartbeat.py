"""The master hears from a worker each second, unless it is stuck."""

from __future__ import annotations

import asyncio
import os
from typing import cast

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


@pytest.mark.parametrize(("stuck", "heard"), [(False, 3), (True, 0)])
def test_worker_that_is_stuck_is_silent(
    app: Flask, monkeypatch: pytest.MonkeyPatch, stuck: bool, heard: int
) -> None:
    """Once a second, of the ten looks at the clock in it; it goes on serving meanwhile."""
    monkeypatch.setattr(AsgiApplication, "is_stuck", lambda _: stuck)
    application, master = create_asgi_app(app), Master()
    server = BoundedServer(build_config(application), application, cast("Worker", master))

    async def tick() -> list[bool]:
        return [await server.on_tick(counter) for counter in range(30)]

    server.config.load()
    assert asyncio.run(tick()) == [False] * 30
    assert master.heard == heard
