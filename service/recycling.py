"""Workers that are replaced after their requests: a successor is ready before one of them ends.

gunicorn starts a worker when another has ended; until it is ready there is one less, and of one
none. Here a worker that has answered its requests says so and goes on; gunicorn's arbiter starts
one more, and ends it when that one is ready. Both say how far they are by the mode of the file of
which the arbiter reads their heartbeat.
"""

from __future__ import annotations

import logging
import os
import signal
import stat
import time
from typing import TYPE_CHECKING

from gunicorn.errors import HaltServer

from service.asgi.application import AsgiApplication
from service.asgi.worker import AsgiWorker

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker

# A worker that has just been made has none of them.
READY, FINISHED = 0o700, 0o500
# In seconds, between two tries to start a worker while others serve.
_TRY_AGAIN = 10.0
_log = logging.getLogger("handler")


class RecycledWorker(AsgiWorker):
    """`worker_class` of gunicorn.conf.py; wants an arbiter with a `RollingReplacement`."""

    def run(self) -> None:
        """Serve until the signal to stop; from now on it counts as a worker that serves."""
        os.fchmod(self.tmp.fileno(), READY)
        super().run()

    def notify(self) -> None:
        """Each second; once it has finished no connection is kept, so that few are left to close
        while a next request is on its way."""
        super().notify()
        application = self.wsgi
        if isinstance(application, AsgiApplication) and application.answered >= self.max_requests:
            application.stopping = True
            os.fchmod(self.tmp.fileno(), FINISHED)


class RollingReplacement:
    """Of recycled workers, one at a time with a surge of one: what an arbiter does in the place of
    its `manage_workers`, its `reload` and its `reap_workers`."""

    def __init__(self, arbiter: Arbiter) -> None:
        self._arbiter = arbiter
        self._manage = arbiter.manage_workers
        self._reload = arbiter.reload
        self._reap = arbiter.reap_workers
        self._no_start_before = 0.0
        self._leaving: set[int] = set()
        self._outdated: set[int] = set()

    def reload(self) -> None:
        """As gunicorn does: who is there ends at once, also one that waits for a successor; until
        the last has ended, or its time is up, gunicorn does nothing else."""
        self._outdated = set(self._arbiter.WORKERS)
        self._leaving.clear()
        self._reload()

    def manage_workers(self) -> None:
        """As gunicorn does, with one more while one has finished; that one ends when so many as
        are wanted serve without it. The next successor waits until it has ended: each worker has a
        slot, and there is one slot more than are wanted."""
        workers, wanted = self._arbiter.WORKERS, self._arbiter.num_workers
        self._leaving &= workers.keys()
        self._outdated &= workers.keys()
        staying = workers.keys() - self._leaving - self._outdated
        states = {pid: _read_state(workers[pid]) for pid in staying}
        finished = [pid for pid, state in states.items() if state == FINISHED]
        finished.sort(key=lambda pid: workers[pid].age)
        spare = max(0, sum(state in (READY, FINISHED) for state in states.values()) - wanted)
        for pid in finished[:spare]:
            self._arbiter.kill_worker(pid, signal.SIGTERM)
            self._leaving.add(pid)
        successors = 1 if finished[spare:] and not self._leaving else 0
        wanted_now = wanted + len(self._leaving) + successors
        if time.monotonic() < self._no_start_before and self._is_served():
            wanted_now = min(wanted_now, len(workers))
        self._arbiter.num_workers = wanted_now
        try:
            self._manage()
        finally:
            self._arbiter.num_workers = wanted

    def reap_workers(self) -> None:
        """As gunicorn does; but a worker that cannot start, be it that the published model or a
        setting was broken meanwhile, ends the service only where no other one serves."""
        while True:
            before = dict(self._arbiter.WORKERS)
            try:
                self._reap()
            except HaltServer:
                if not self._is_served():
                    raise
                for pid in before.keys() - self._arbiter.WORKERS.keys():
                    before[pid].tmp.close()
                message = "a worker cannot start: the others serve, the next try is in %d s"
                _log.error(message, _TRY_AGAIN)
                self._no_start_before = time.monotonic() + _TRY_AGAIN
            else:
                return

    def _is_served(self) -> bool:
        workers = self._arbiter.WORKERS.values()
        return any(_read_state(one) in (READY, FINISHED) for one in workers)


def _read_state(worker: Worker) -> int:
    return stat.S_IMODE(os.fstat(worker.tmp.fileno()).st_mode)


def stagger(requests: int, others: int, workers: int) -> int:
    """After how many requests a worker ends that starts while there are `others`.

    Those that start together would also end together, and their successors come one by one: so each
    has another part of the first life. Of `workers` in all there are none at the start, then one,
    and so on; at a reload all of them, then one more; whoever replaces one has a whole life.
    """
    place = others % max(1, workers)
    return max(1, requests * (place + 1) // max(1, workers))
