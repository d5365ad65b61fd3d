"""The drill's phases, one after the other, and what each found."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from bench.scale.autoscaling.api import is_serving, read_condition
from bench.scale.autoscaling.history import Mark, summarise
from bench.scale.autoscaling.load import Answers, Load
from bench.scale.autoscaling.manifests import MOST, NAMESPACE, OF_ONE_REPLICA
from bench.scale.autoscaling.observations import STATEFUL_SET, lowest_ready, lowest_wanted
from bench.scale.autoscaling.result import Drain, Outage, Result, Rollout
from bench.scale.autoscaling.stage import REAL, Plan, Stage, handler_kubectl, open_stage, say
from tests.lab.polling import until

RATE = 1.2 * MOST * OF_ONE_REPLICA
ROLLOUTS = 3
AWAY_SECONDS = 30
COUNTED = 'sum(last_over_time(predictions_total{endpoint="/predict"}[3h]))'
INSTANCES = 'count(count by (instance) (predictions_total{endpoint="/predict"}))'
PUSHED = '{job="fraud-handler", instance!="", __name__!~".+:.+|ALERTS.*"}'
"""Without what rules record, of no instance or with a colon: that grows with what has happened."""
_SCALED_OBJECT = f"/apis/keda.sh/v1alpha1/namespaces/{NAMESPACE}/scaledobjects/handler"
_SHOWN_EVERY = 15.0
_LONG = 600.0
"""Seconds for what takes one minute on a machine that is not busy."""


def play(plan: Plan) -> Result:
    """All of it; AssertionError with a sentence where a phase does not come to its end in time."""
    with open_stage(plan) as stage:
        drill = Drill(stage)
        drill.stay_at_one()
        with Load(stage.pods.url, RATE) as load:
            drill.load = load
            up = drill.grow()
            drained = drill.drain()
            before = drill.count_series()
            rollouts = tuple(drill.roll_out(number + 1) for number in range(ROLLOUTS))
            series = (before, drill.count_series())
            outage = drill.lose_store()
            drill.load = None
            answers = load.end()
        down = drill.shrink(answers, 3000 if plan.shipped_down else 600)
        held = drill.count_held(answers)
        return Result(
            pod=stage.seconds, rate=RATE, up_seconds=up, drain=drained, rollouts=rollouts,
            series=series, outage=outage, down_seconds=down, shipped_down=plan.shipped_down,
            sent=answers.sent, failed=answers.failed, answered=answers.predicted,
            interrupted=answers.interrupted, held=held, load_average=os.getloadavg()[2],
            processors=os.cpu_count() or 0,
            history=summarise(stage.watch.observations, drill.marks),
        )  # fmt: skip


class Drill:
    """Waits look at everything that may have gone wrong meanwhile."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.load: Load | None = None
        self._shown = 0.0
        self.marks: list[Mark] = []
        """Of the monotonic clock."""

    def stay_at_one(self) -> None:
        """Without a request the metric is 0, not missing, and one replica is enough."""
        self._wait(lambda: self._condition("Active") is not None, 90, "KEDA knows the handler")
        self._wait(lambda: self._autoscaler_sees_metric(), 90, "the autoscaler sees the metric")
        self._wait(lambda: self._is_whole(1), _LONG, "one replica is ready")
        say("quiet: the metric is there, one replica is ready")

    def grow(self) -> float:
        """From one to all."""
        self._begin("load begins", f"{RATE:g} requests a second")
        took = self._wait(lambda: self._is_whole(MOST), 600, f"{MOST} replicas are ready")
        say(f"{MOST} are ready after {took:.1f} s")
        self._wait(self._real_are_ready, _LONG, "the real pods are ready")
        return took

    def drain(self) -> Drain:
        """Of a node that has some of the real pods, and not all."""
        placed = self._nodes_of_pods()
        node = choose_node(placed)
        began = self._begin("drain", node)
        words = ("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force")
        handler_kubectl(self._stage.server, *words, seconds=_LONG)
        seconds = time.monotonic() - began
        self._wait(lambda: self._is_whole(MOST), _LONG, "all are ready elsewhere")
        whole = time.monotonic() - began
        handler_kubectl(self._stage.server, "uncordon", node)
        self._wait(self._real_are_ready, _LONG, "the real pods are ready")
        found = Drain(list(placed.values()).count(node), seconds, whole, self._lowest_ready(began))
        say(str(found))
        return found

    def roll_out(self, number: int) -> Rollout:
        """As `kubectl rollout restart` does."""
        began = self._begin(f"rollout {number}", f"of {MOST} replicas")
        handler_kubectl(self._stage.server, "rollout", "restart", "statefulset/handler")
        self._wait(self._is_rolled_out, _LONG, "every replica is replaced")
        found = Rollout(time.monotonic() - began, self._lowest_ready(began))
        say(str(found))
        self._wait(lambda: self._is_whole(MOST) and self._real_are_ready(), _LONG, "all are ready")
        return found

    def count_series(self) -> int:
        """Once every worker of the real pods has pushed."""
        prometheus = self._stage.stack.prometheus
        workers = self._stage.workers * len(REAL)
        self._wait(lambda: prometheus.number(INSTANCES) == workers, 90, "every worker has pushed")
        return len(prometheus.series(PUSHED))

    def lose_store(self) -> Outage:
        """For AWAY_SECONDS, or longer until KEDA's fallback is in force."""
        prometheus = self._stage.stack.prometheus
        began = self._begin("store away", f"for {AWAY_SECONDS} s or more")
        prometheus.terminate(60)
        away = time.monotonic()
        fallback = self._wait(self._falls_back, 150, "the fallback is in force")
        self._pause(away + AWAY_SECONDS - time.monotonic())
        say(f"fallback after {fallback:.1f} s; the store comes back")
        prometheus.start()
        seconds = time.monotonic() - away
        back = self._wait(lambda: not self._falls_back(), 150, "the metric is there again")
        self._pause(30)
        wanted = lowest_wanted(self._stage.watch.observations, began)
        found = Outage(seconds, fallback, back, wanted)
        say(str(found))
        return found

    def shrink(self, answers: Answers, seconds: float) -> float:
        """Back to one, and no pod that is about to end."""
        self._begin("load ended", str(answers))
        took = self._wait(lambda: self._is_whole(1), seconds, "one replica is left")
        say(f"one replica {took:.1f} s after the load")
        return took

    def count_held(self, answers: Answers) -> int:
        """What the store has of the predictions, after a minute at most."""
        prometheus = self._stage.stack.prometheus

        def held() -> int:
            return int(prometheus.number(COUNTED) or 0)

        try:
            self._wait(lambda: held() >= answers.predicted, 60, "the store has every count")
        except AssertionError as late:
            say(str(late))
        return held()

    def _begin(self, phase: str, details: str) -> float:
        """Since when."""
        say(f"{phase}: {details}")
        self.marks.append(Mark(time.monotonic(), phase))
        return self.marks[-1].at

    def _is_whole(self, replicas: int) -> bool:
        latest = self._stage.watch.latest
        return (latest.wanted, latest.there, latest.ready) == (replicas,) * 3

    def _real_are_ready(self) -> bool:
        return self._stage.pods.ready == set(REAL)

    def _lowest_ready(self, since: float) -> int:
        return lowest_ready(self._stage.watch.observations, since)

    def _is_rolled_out(self) -> bool:
        found = self._stage.api.get(STATEFUL_SET)
        return found is not None and is_rolled_out(found)

    def _nodes_of_pods(self) -> dict[str, str]:
        pods = filter(is_serving, self._stage.api.handler_pods())
        return {one["metadata"]["name"]: one["spec"]["nodeName"] for one in pods}

    def _condition(self, name: str) -> str | None:
        found = self._stage.api.get(_SCALED_OBJECT)
        return None if found is None else read_condition(found, name)

    def _falls_back(self) -> bool:
        return self._condition("Fallback") == "True"

    def _autoscaler_sees_metric(self) -> bool:
        path = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers"
        found = self._stage.api.get(f"{path}/keda-hpa-handler")
        return found is not None and read_condition(found, "ScalingActive") == "True"

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._check()
            time.sleep(0.5)

    def _wait(self, condition: Callable[[], bool], seconds: float, what: str) -> float:
        return until(lambda: self._check() or condition(), seconds, what, every=0.5)

    def _check(self) -> bool:
        """False; raises what went wrong. Shows now and then how far it is."""
        self._stage.pods.check()
        if self.load is not None:
            self.load.check()
        latest, now = self._stage.watch.latest, time.monotonic()
        if now - self._shown >= _SHOWN_EVERY:
            self._shown = now
            say(f"  wanted {latest.wanted}, there {latest.there}, ready {latest.ready}")
        return False


def choose_node(placed: dict[str, str]) -> str:
    """By pods and their nodes: one with some of the real pods and not all, so that somebody
    answers meanwhile, as others would in a cluster; ValueError where there is none."""
    real = [placed[name] for name in REAL if name in placed]
    some = sorted(node for node in set(real) if real.count(node) < len(real))
    if not some:
        raise ValueError("no node has some of the real pods and not all: nothing can be drained")
    return max(some, key=real.count)


def is_rolled_out(manifest: dict[str, Any]) -> bool:
    """As `kubectl rollout status` sees it: the change is known, all are ready, all are new."""
    status = manifest.get("status", {})
    return bool(
        status.get("observedGeneration", 0) >= manifest["metadata"]["generation"]
        and status.get("readyReplicas", 0) == manifest["spec"]["replicas"]
        and status["updateRevision"] == status["currentRevision"]
    )
