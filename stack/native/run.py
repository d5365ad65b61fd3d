"""`up` natively: makes what is missing, then runs the processes until the end."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from stack import build, ports, state
from stack.errors import StackError
from stack.monitoring.alerts import with_receivers
from stack.monitoring.key_metrics import MetricsPageSource, PrometheusSource, Source
from stack.monitoring.live_line import show_live_line
from stack.monitoring.readiness import Probe, wait_until_ready
from stack.native import processes, programs
from stack.native.environment import process_environment
from stack.native.preparation import Preparation
from stack.native.prometheus_config import link_live_view, write_prometheus_config
from stack.progress import ProgressDisplay
from stack.settings import Settings
from stack.signals import Interrupted, call_on_signals
from stack.subprocesses import SubprocessRunner
from stack.terminal import last_line, print_addresses, print_message

_INSTALL_HINT = (
    "Only the handler and the simulator run, with /metrics: {reason} For Prometheus and the"
    " Collector install Go {go} or newer (https://go.dev/dl/) or start a Docker engine, then start"
    " again."
)


@dataclass
class NativeStack:
    """The stack as local processes."""

    settings: Settings

    def run(self) -> int:
        """Until a signal; raises StackError when it cannot start or a process ends by itself."""
        names, chosen = self._choose()
        self._check_ports(names)
        failure = self._prepare(chosen.to_build if chosen else ())
        if failure is not None:
            names, chosen = processes.MINIMAL, None
            self._print_what_is_missing(f"{last_line(failure)}.")
        # The preparation may have taken minutes.
        self._check_ports(names)
        if chosen is not None:
            write_prometheus_config(self.settings)
            link_live_view(self.settings.root, self.settings.run / "live-view")
        env = process_environment(self.settings, chosen, os.environ)
        return self._run(names, env)

    def _choose(self) -> tuple[tuple[str, ...], programs.Programs | None]:
        chosen = programs.choose_programs(self.settings)
        if chosen.available:
            return processes.ALL, chosen
        self._print_what_is_missing("there is neither Go nor a built Collector here.")
        return processes.MINIMAL, None

    def _print_what_is_missing(self, reason: str) -> None:
        go = build.minimum_go_version(self.settings.root)
        print_message(_INSTALL_HINT.format(reason=reason, go=go))

    def _check_ports(self, names: tuple[str, ...]) -> None:
        wanted = processes.ports_of(names)
        ports.check_free({name: self.settings.ports[name] for name in wanted})

    def _prepare(self, to_build: tuple[str, ...]) -> StackError | None:
        runner = SubprocessRunner()
        with ProgressDisplay() as display:
            return Preparation(self.settings, display, runner).run(to_build)

    def _run(self, names: tuple[str, ...], env: Mapping[str, str]) -> int:
        addresses = self._addresses(names)
        state.write(self.settings.run, state.NATIVE, addresses)
        running = processes.start(self.settings, names, env)
        source = self._key_metrics(names)
        try:
            with ProgressDisplay() as display:
                wait_until_ready(source, self._probes(names), running.check, display)
            print_addresses(with_receivers(addresses), "logs/")
            show_live_line(source, running.check)
        except Interrupted:
            # Ending is what a running stack is asked for: not a failure of the command.
            return 0
        finally:
            call_on_signals(running.kill)
            if running.process.poll() is None:
                print_message("\nStopping (once more Ctrl-C: at once).")
            running.stop()
            state.clear(self.settings.run)
        return 0

    def _key_metrics(self, names: tuple[str, ...]) -> Source:
        if "prometheus" in names:
            return PrometheusSource(self.settings.url("PROMETHEUS_PORT"))
        token = os.environ.get("ACCESS_TOKEN", "").split(",")[0].strip()
        return MetricsPageSource(self.settings.url("PORT"), token)

    def _probes(self, names: tuple[str, ...]) -> list[Probe]:
        every = {
            "handler": Probe("handler", f"{self.settings.url('PORT')}/health/ready"),
            "otelcol": Probe("Collector", self.settings.url("COLLECTOR_HEALTH_PORT")),
            "prometheus": Probe("Prometheus", f"{self.settings.url('PROMETHEUS_PORT')}/-/ready"),
            "alertmanager": Probe(
                "Alertmanager", f"{self.settings.url('ALERTMANAGER_PORT')}/-/ready"
            ),
        }
        return [probe for name, probe in every.items() if name in names]

    def _addresses(self, names: tuple[str, ...]) -> dict[str, str]:
        handler = f"http://localhost:{self.settings.ports['PORT']}"
        if "prometheus" not in names:
            return {"Handler": handler, "Metrics": f"{handler}/metrics"}
        prometheus = f"http://localhost:{self.settings.ports['PROMETHEUS_PORT']}"
        dashboards = f"{prometheus}/user/"
        if programs.find_prometheus() is None:
            # The module that it is built from does not hold them, and no flag redirects from there.
            prometheus += " (its API; its own pages come with Docker)"
        return {
            "Dashboards": dashboards,
            "Handler": handler,
            "Prometheus": prometheus,
            "Alerts": f"http://localhost:{self.settings.ports['ALERTMANAGER_PORT']}",
        }
