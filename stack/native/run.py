"""`up` natively: makes what is missing, and runs the processes until the end.

The service starts as soon as its environment and a model are there; what watches it joins when
its programs are built, minutes later on a machine that has none of them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial

from stack import build, ports, state
from stack.errors import StackError
from stack.monitoring.alerts import with_receivers
from stack.monitoring.key_metrics import PrometheusSource, Source, StatsSource, ask_handler
from stack.monitoring.live_line import show_live_line
from stack.monitoring.readiness import wait_until_ready
from stack.native import places
from stack.native.cortex import write_cortex_config
from stack.native.environment import process_environment
from stack.native.grafana import write_provisioning
from stack.native.preparation import Preparation
from stack.native.processes import MONITORING, SERVICE, RunningProcesses, ports_of
from stack.native.programs import Programs, choose_programs
from stack.native.progress_file import UNWATCHED, WATCHED, building, write_progress
from stack.native.prometheus_config import link_live_view, write_prometheus_config
from stack.native.waiting_page import waiting_page
from stack.progress import ProgressDisplay
from stack.settings import CORTEX, PROMETHEUS, Settings
from stack.signals import Interrupted, call_on_signals
from stack.subprocesses import SubprocessRunner
from stack.terminal import last_line, print_addresses, print_message

POLL_SECONDS = 0.2
_INSTALL_HINT = (
    "Only the handler and the simulator run, with /metrics: {reason} For Prometheus and the"
    " Collector install Go {go} or newer (https://go.dev/dl/) or start a Docker engine, then start"
    " again."
)


@dataclass
class NativeStack:
    """The stack as local processes."""

    settings: Settings
    store: str = PROMETHEUS

    def run(self) -> int:
        """Until a signal; raises StackError when it cannot start or a process ends by itself."""
        programs = self._choose()
        watching = _watching(programs)
        self._check_ports((*SERVICE, *watching))
        running = RunningProcesses(self.settings)
        complete = False
        try:
            watching = self._bring_up(running, programs, watching)
            complete = True
            addresses = places.addresses(self.settings, watching)
            print_addresses(with_receivers(addresses), "logs/")
            show_live_line(self._handler(), running.check)
        except Interrupted:
            # Ending is what a running stack is asked for: not a failure of the command.
            if not complete:
                raise
        finally:
            call_on_signals(running.kill)
            if running.running:
                print_message("\nStopping (once more Ctrl-C: at once).")
            running.stop()
            state.clear(self.settings.run)
        return 0

    def _choose(self) -> Programs | None:
        programs = choose_programs(self.settings, self.store)
        for remark in programs.remarks:
            print_message(remark)
        if programs.available:
            return programs
        self._print_what_is_missing("there is neither Go nor a built Collector here.")
        return None

    def _print_what_is_missing(self, reason: str) -> None:
        go = build.minimum_go_version(self.settings.root)
        print_message(_INSTALL_HINT.format(reason=reason, go=go))

    def _check_ports(self, names: tuple[str, ...]) -> None:
        ports.check_free({name: self.settings.ports[name] for name in ports_of(names)})

    def _bring_up(
        self, running: RunningProcesses, programs: Programs | None, watching: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Starts the service, then what watches it; gives what of that runs."""
        runner = SubprocessRunner()
        env = process_environment(self.settings, programs, os.environ)
        if not watching:
            self._tell_page("Neither Go nor a built Collector is here")
        with ProgressDisplay() as display:
            preparation = Preparation(self.settings, display, runner)
            with preparation.building(programs.to_build if programs else ()) as built:
                with ExitStack() as meanwhile:
                    if watching:
                        meanwhile.enter_context(self._waiting_page(display))
                        meanwhile.enter_context(building(self.settings.progress, display.lines))
                    preparation.prepare_python()
                    self._check_ports(SERVICE)
                    running.start(SERVICE, env)
                    self._wait_for_programs(built, running, display)
                failure = built.result()
            if failure is not None:
                watching = ()
            if watching:
                self._start_watching(running, watching, env)
            state.write(self.settings.run, state.NATIVE, places.addresses(self.settings, watching))
            source, probes = self._count_source(watching), places.probes(self.settings, watching)
            wait_until_ready(source, probes, running.check, display)
        if failure is not None:
            self._print_what_is_missing(f"{last_line(failure)}.")
            self._tell_page(last_line(failure))
        elif watching:
            write_progress(self.settings.progress, WATCHED)
        return watching

    def _tell_page(self, reason: str) -> None:
        """Nothing watches the service, and why; the service's page shows it."""
        go = build.minimum_go_version(self.settings.root)
        hint = f"Install Go {go} or newer, or start a Docker engine, then start again."
        write_progress(self.settings.progress, UNWATCHED, f"{reason}.", hint)

    def _waiting_page(self, display: ProgressDisplay) -> AbstractContextManager[None]:
        held = self.settings.ports
        answers = partial(ports.is_busy, held["PORT"])
        handler = places.handler(self.settings)
        return waiting_page(held["PROMETHEUS_PORT"], handler, answers, display.lines)

    def _wait_for_programs(
        self, built: Future[StackError | None], running: RunningProcesses, display: ProgressDisplay
    ) -> None:
        """Until all is built; shows meanwhile where the service is already."""
        if built.done():
            return
        soon = places.soon(self.settings)
        state.write(self.settings.run, state.NATIVE, soon)
        wait_until_ready(
            self._handler(),
            places.probes(self.settings, ()),
            running.check,
            display,
            "handler",
            f" at {soon['Handler']} (dashboards follow at {soon['Dashboards'].split()[0]})",
        )
        while not built.done():
            running.check()
            time.sleep(POLL_SECONDS)

    def _start_watching(
        self, running: RunningProcesses, names: tuple[str, ...], env: Mapping[str, str]
    ) -> None:
        # The build may have taken minutes.
        self._check_ports(names)
        if self.store == CORTEX:
            write_cortex_config(self.settings)
        else:
            write_prometheus_config(self.settings)
        link_live_view(self.settings.root, self.settings.run / "live-view", self.settings.traces)
        if "grafana" in names:
            write_provisioning(self.settings)
        running.start(names, env)

    def _count_source(self, watching: tuple[str, ...]) -> Source:
        """Through the Collector where there is one: then the whole way of a count works."""
        if watching:
            return PrometheusSource(self.settings.url("PROMETHEUS_PORT"), self._handler())
        return self._handler()

    def _handler(self) -> StatsSource:
        return ask_handler(self.settings.url("PORT"), os.environ)


def _watching(programs: Programs | None) -> tuple[str, ...]:
    """The processes that watch the service."""
    if programs is None:
        return ()
    names = MONITORING[programs.store]
    return (*names, "grafana") if programs.grafana else names
