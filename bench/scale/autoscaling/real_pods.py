"""Pods of the cluster that are real: a kubelet's part for some names of the StatefulSet.

Each has its own thread and its own volume. What the cluster decides happens to a real process of
the handler, and the cluster waits for what that process says.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from bench.scale.autoscaling.api import ClusterApi, Json, is_leaving
from bench.scale.balancer import Balancer
from tests.lab.handler import Handler

_EVERY = 0.25  # seconds between two looks at a pod
_GRACE = 60.0
"""For SIGTERM, more than the manifest's: whether the machine is busy is not what is tried."""


class RealPods:
    """`url` is their service; a pod is behind it while it is ready and not about to end."""

    def __init__(
        self, handlers: Mapping[str, Handler], connect: Callable[[], ClusterApi], pre_stop: float
    ) -> None:
        self._handlers = handlers
        self._connect = connect
        self._pre_stop = pre_stop
        self._balancer = Balancer()
        self.url = self._balancer.url
        self._ready: set[str] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._follow, args=(name,), daemon=True) for name in handlers
        ]

    @property
    def ready(self) -> frozenset[str]:
        """Names of those that answer."""
        with self._lock:
            return frozenset(self._ready)

    def check(self) -> None:
        """Raises what went wrong in a thread."""
        if self._failure is not None:
            raise self._failure

    def __enter__(self) -> Self:
        self._balancer.__enter__()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        for handler in self._handlers.values():
            handler.kill()
        for thread in self._threads:
            thread.join(10)
        for handler in self._handlers.values():
            handler.kill()
        self._balancer.__exit__(kind, error, trace)

    def _follow(self, name: str) -> None:
        try:
            api = self._connect()
            while not self._ended.wait(_EVERY):
                pod = api.pod(name)
                if pod is None or not pod["spec"].get("nodeName"):
                    continue
                if is_leaving(pod):
                    api.remove(pod)
                else:
                    self._run(api, pod)
        except Exception as error:
            if not self._ended.is_set():
                self._failure = error

    def _run(self, api: ClusterApi, pod: Json) -> None:
        """The pod's whole life."""
        name = pod["metadata"]["name"]
        handler = self._handlers[name]
        handler.start()
        api.set_status(pod, ready_status(pod, datetime.now(UTC)))
        self._serve(name, ready=True)
        while not self._ended.wait(_EVERY):
            now = api.pod(name)
            if now is None or is_leaving(now) or now["metadata"]["uid"] != pod["metadata"]["uid"]:
                break
            assert handler.process is not None and handler.process.poll() is None, (
                f"{name} ended by itself: {handler.output()[-2000:]}"
            )
        self._serve(name, ready=False)
        if not self._ended.is_set():
            time.sleep(self._pre_stop)
            handler.terminate(_GRACE)
            api.remove(pod)

    def _serve(self, name: str, *, ready: bool) -> None:
        with self._lock:
            if ready:
                self._ready.add(name)
            else:
                self._ready.discard(name)
            ports = [self._handlers[one].port for one in sorted(self._ready)]
        self._balancer.endpoints = tuple(ports)


def ready_status(pod: Json, at: datetime) -> dict[str, Any]:
    """What a kubelet would say once every container answers its probes."""
    now = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    names = ("Initialized", "ContainersReady", "Ready")
    return {
        "phase": "Running",
        "startTime": now,
        "conditions": [
            {"type": name, "status": "True", "lastTransitionTime": now} for name in names
        ],
        "containerStatuses": [
            {
                "name": one["name"],
                "image": one["image"],
                "imageID": "",
                "ready": True,
                "restartCount": 0,
                "state": {"running": {"startedAt": now}},
            }
            for one in pod["spec"]["containers"]
        ],
    }
