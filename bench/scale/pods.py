"""Real replicas of the handler behind one address, rolled out as Kubernetes does."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.scale.balancer import Balancer
from tests.lab.collector import Collector
from tests.lab.handler import Handler

PRE_STOP_SECONDS = 5
"""As in deploy/kubernetes/base/handler.yaml: between leaving the endpoints and SIGTERM."""


class Replicas:
    """`url` is their service.

    With `kept` names and volumes are a StatefulSet's, the same after a rollout; else each pod is
    new in name and counters, as a Deployment's are.
    """

    def __init__(
        self, folder: Path, models: Path, collector: Collector, *, kept: bool, count: int = 2
    ) -> None:
        self._folder, self._models, self._collector = folder, models, collector
        self._kept = kept
        self._balancer = Balancer()
        self.url = self._balancer.url
        self._stack = ExitStack()
        self._pods = 0
        self.handlers = [self._new_pod(f"handler-{number}") for number in range(count)]

    def _new_pod(self, name: str) -> Handler:
        return Handler(
            self._folder / name,
            self._models,
            WEB_CONCURRENCY="1",
            LOG_LEVEL="warning",
            OTEL_RESOURCE_ATTRIBUTES=f"service.instance.id={name}",
            **self._collector.exporter_settings(every_ms=2000),
        )

    def __enter__(self) -> Self:
        with ExitStack() as started:
            for handler in self.handlers:
                started.enter_context(handler)
            self._serve(self.handlers)
            started.enter_context(self._balancer)
            self._stack = started.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def roll_out(self) -> None:
        """One after the other: out of the endpoints, preStop, SIGTERM, a new one, ready, back."""
        for position, handler in enumerate(self.handlers):
            self._serve([one for one in self.handlers if one is not handler])
            time.sleep(PRE_STOP_SECONDS)
            handler.terminate()
            self.handlers[position] = self._replace(handler)
            self._serve(self.handlers)

    def _replace(self, handler: Handler) -> Handler:
        if self._kept:
            return handler.start()
        self._pods += 1
        return self._stack.enter_context(self._new_pod(f"handler-pod-{self._pods}"))

    def _serve(self, handlers: list[Handler]) -> None:
        self._balancer.endpoints = tuple(one.port for one in handlers)
