"""Everything of the drill, running.

simulator ─▶ balancer ─▶ pods that are real ─▶ Collector ─▶ Prometheus ◀─ KEDA ◀─ autoscaler
                            ▲ started and ended as the cluster decides          │
etcd ◀─ API server ◀─ controllers, scheduler, kwok (all other pods) ◀───────────┘
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.scale.autoscaling import control_plane, kwok_stages
from bench.scale.autoscaling.api import ClusterApi
from bench.scale.autoscaling.keda import API, Keda
from bench.scale.autoscaling.kwok_stages import PLAYED, PodSeconds
from bench.scale.autoscaling.manifests import (
    NAMESPACE,
    list_changes,
    make_secrets,
    read_pre_stop,
    read_settings,
    render,
    write_overlay,
)
from bench.scale.autoscaling.observations import Watch
from bench.scale.autoscaling.real_pods import RealPods
from bench.scale.sizing.monitored_stack import MonitoredStack
from tests.kubernetes.api_server import ApiServer, Etcd
from tests.kubernetes.crds import find_keda_crds
from tests.kubernetes.kustomization import parse
from tests.kubernetes.workloads import Manifest, name_of
from tests.lab.handler import Handler

REAL = ("handler-0", "handler-30", "handler-60", "handler-90")
"""One in each quarter of a rollout of a hundred; the first is there from beginning to end."""


class PodHandler(Handler):
    """May take its time on a machine that is busy with other work."""

    ready_seconds = 300


class PatientServer(ApiServer):
    """The same of the API server."""

    ready_seconds = 300


@dataclass(frozen=True)
class Plan:
    """Where things are; `shipped_down` leaves the slow scale-down as it is."""

    folder: Path
    tools: Path
    models: Path
    shipped_down: bool


@dataclass(frozen=True)
class Stage:
    """What the drill works with."""

    server: ApiServer
    api: ClusterApi
    stack: MonitoredStack
    pods: RealPods
    watch: Watch
    seconds: PodSeconds
    """Of a real one."""
    workers: int
    """Of each real pod."""


@contextmanager
def open_stage(plan: Plan) -> Iterator[Stage]:
    """Ends every program afterwards, the last that was started first."""
    with ExitStack() as running:
        stack = running.enter_context(MonitoredStack(plan.tools, plan.folder / "stack"))
        say("Collector and Prometheus run")
        server = _start_server(plan, running)
        changes = list_changes(stack.prometheus.url, shipped_down=plan.shipped_down)
        manifests = render(plan.tools, write_overlay(plan.folder / "overlay", changes))
        settings, pre_stop = read_settings(manifests), read_pre_stop(manifests)
        seconds = _time_handler(plan, settings["WEB_CONCURRENCY"], pre_stop)
        _start_cluster(plan, running, server)
        _start_keda(plan, running, server)
        _apply(server, [*manifests, *make_secrets()])
        say(f"{len(manifests)} objects of the overlay are applied")
        handlers = {
            name: PodHandler(
                plan.folder / name, plan.models, WEB_CONCURRENCY=settings["WEB_CONCURRENCY"],
                LOG_LEVEL="warning", OTEL_RESOURCE_ATTRIBUTES=f"service.instance.id={name}",
                **stack.collector.exporter_settings(int(settings["OTEL_METRIC_EXPORT_INTERVAL"])),
            )
            for name in REAL
        }  # fmt: skip
        pods = running.enter_context(RealPods(handlers, lambda: ClusterApi(server), pre_stop))
        watch = running.enter_context(Watch(lambda: ClusterApi(server)))
        yield Stage(
            server,
            ClusterApi(server),
            stack,
            pods,
            watch,
            seconds,
            int(settings["WEB_CONCURRENCY"]),
        )


def _time_handler(plan: Plan, workers: str, pre_stop: float) -> PodSeconds:
    """What a real one takes here and now, to be told beside what is played. It exports nothing."""
    handler = PodHandler(plan.folder / "timed", plan.models, WEB_CONCURRENCY=workers)
    began = time.monotonic()
    with handler:
        start = time.monotonic() - began
        seconds = PodSeconds(start, pre_stop + handler.terminate(60))
    say(f"a real handler is ready after {start:.1f} s, gone {seconds.end:.1f} s after its deletion")
    return seconds


def _start_server(plan: Plan, running: ExitStack) -> ApiServer:
    folder = plan.folder / "cluster"
    etcd = running.enter_context(Etcd(plan.tools, folder))
    options = control_plane.aggregation_options(folder)
    server = running.enter_context(PatientServer(plan.tools, folder, etcd.url, *options))
    say("etcd and API server run")
    return server


def _start_cluster(plan: Plan, running: ExitStack, server: ApiServer) -> None:
    folder = kwok_stages.module_stages()
    stages = kwok_stages.adapt(kwok_stages.read_stages(folder), PLAYED, REAL)
    programs = (
        control_plane.controller_manager(plan.tools, server),
        control_plane.scheduler(plan.tools, server),
        control_plane.kwok(plan.tools, server, stages),
    )
    for each in programs:
        running.callback(each.kill)
        each.launch()
    for each in programs:
        each.wait_until_ready()
    _apply(server, [*control_plane.make_nodes(), kwok_stages.read_storage_class(folder)])
    _wait(server, "--for=condition=Ready", "node", "--all")
    say(f"controllers, scheduler and kwok run, {control_plane.NODES} nodes are ready")


def _start_keda(plan: Plan, running: ExitStack, server: ApiServer) -> None:
    for path in find_keda_crds():
        _apply(server, list(parse(path.read_text())))
    _wait(server, "--for=condition=Established", "crd", "--all")
    keda = Keda(plan.tools, server)
    _apply(server, keda.manifests())
    for each in (keda.operator, keda.adapter):
        running.enter_context(each)
    _wait(server, "--for=condition=Available", f"apiservice/{API}")
    say("KEDA's operator and metrics server run")


def _apply(server: ApiServer, manifests: Sequence[Manifest]) -> None:
    # A namespace before what is in it.
    ordered = sorted(manifests, key=lambda one: one["kind"] != "Namespace")
    failed = server.apply(ordered)
    assert not failed, f"{', '.join(map(name_of, manifests))[:200]}: {failed}"


def _wait(server: ApiServer, *words: str) -> None:
    ran = server.kubectl("wait", "--timeout=300s", *words, seconds=330)
    assert ran.returncode == 0, f"{words}: {ran.stderr}"


def handler_kubectl(server: ApiServer, *words: str, seconds: float = 120) -> str:
    """What kubectl says, in the handler's namespace; AssertionError where it fails."""
    ran = server.kubectl("-n", NAMESPACE, *words, seconds=seconds)
    assert ran.returncode == 0, f"kubectl {' '.join(words)}: {ran.stderr[-1000:]}"
    return ran.stdout.strip()


def say(what: str) -> None:
    """Progress, with the time."""
    print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)
