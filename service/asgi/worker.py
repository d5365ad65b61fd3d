"""The gunicorn worker that runs the ASGI application by uvicorn's server.

Beside uvicorn's own worker: the limits of `protocol.py`, a heartbeat each second, an end when the
master is gone, and a normal exit after SIGTERM, so that what runs at exit (the last export) does.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from types import FrameType

from gunicorn.workers.base import Worker
from uvicorn.config import Config
from uvicorn.server import Server

from service.asgi.application import AsgiApplication
from service.asgi.protocol import BoundedProtocol
from telemetry.logs import LineHandler

_TICKS_A_SECOND = 10
# One, or a worker that wakes first takes all connections of a burst, and the others have none.
_ACCEPTED_AT_ONCE = 1
# In seconds. So long a thread that computes (a batch, an export) keeps the event loop waiting for
# the interpreter, each time; with Python's own 5 ms that is felt in p99.
_SWITCH_INTERVAL = 0.0002
# For clients that keep connections to send once more and be told that it was the last time.
_PARTING_SECONDS = 0.5
_STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


class BoundedServer(Server):
    """uvicorn's server for one worker of gunicorn."""

    def __init__(self, config: Config, application: AsgiApplication, worker: Worker) -> None:
        super().__init__(config)
        self._application = application
        self._worker = worker

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        if counter % _TICKS_A_SECOND == 0:
            # The master ends a worker that is silent for its `timeout`, and starts another.
            if not self._application.is_stuck():
                self._worker.notify()
            if os.getppid() != self._worker.ppid:
                self._worker.log.info("the master is gone: this worker ends")
                self.should_exit = True
            now = asyncio.get_running_loop().time()
            for connection in list(self._connections()):
                if self._close_if_late(connection, now):
                    # It was refused, logged and closed: what came meanwhile is served before the
                    # next one, for a crowd that came together is late together.
                    await asyncio.sleep(0)
        return await super().on_tick(counter)

    def _close_if_late(self, connection: BoundedProtocol, now: float) -> bool:
        """What goes wrong with one connection ends that one only."""
        try:
            return connection.close_if_late(now)
        except Exception as error:
            self._worker.log.error("a connection is ended: %s", type(error).__name__)
            connection.transport.abort()
            return True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn does, but without raising the signal again when all is done: that would end
        the process before its last export."""
        for number in _STOP:
            signal.signal(number, self.handle_exit)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """From now on it is not ready."""
        self._application.readiness.begin_shutdown()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """uvicorn closes kept connections at once, which resets those whose next request is on its
        way. So who still sends is answered first, with `Connection: close`."""
        for server in self.servers:
            server.close()
        self._application.stopping = True
        for connection in self._connections():
            connection.begin_closing()
        loop = asyncio.get_running_loop()
        # Most of a short time to stop is for open requests and the last export.
        until = loop.time() + min(_PARTING_SECONDS, self._application.settings.shutdown_seconds / 8)
        while self._connections() and loop.time() < until:
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listening again sets the length of the system's queue, which uvicorn takes for the same
        as the number of connections that are accepted at once."""
        await super().startup(sockets)
        for one in sockets or []:
            one.listen(self._worker.cfg.backlog)

    def _connections(self) -> set[BoundedProtocol]:
        return self.server_state.connections  # type: ignore[return-value]


class AsgiWorker(Worker):
    """A worker of gunicorn; what it serves must be an AsgiApplication."""

    def run(self) -> None:
        """Serve until the signal to stop."""
        # The base class has set it for a loop of its own.
        signal.set_wakeup_fd(-1)
        if not self.alive:  # Told to stop while it was loading.
            return
        _allow_all_open_files()
        sys.setswitchinterval(_SWITCH_INTERVAL)
        # What stands by now stands to the end: the collector of garbage need not look at it again.
        gc.collect()
        gc.freeze()
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        application = self.wsgi
        if not isinstance(application, AsgiApplication):
            raise TypeError(f"{type(application).__name__} is no AsgiApplication: handler:build()")
        server = BoundedServer(build_config(application), application, self)
        for handler in logging.getLogger().handlers:
            if isinstance(handler, LineHandler):
                handler.gather_on(asyncio.get_running_loop())
        sockets = [one.sock for one in self.sockets]
        await server.serve(sockets)


def build_config(application: AsgiApplication) -> Config:
    """uvicorn's settings."""
    return Config(
        application,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        backlog=_ACCEPTED_AT_ONCE,
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        # Half of the time to stop is for open requests, half for the last export.
        timeout_graceful_shutdown=max(1, application.settings.shutdown_seconds // 2),
    )


def _allow_all_open_files() -> None:
    """Each connection is one; the limit that a shell gives is often 1,024, and may be raised."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
