"""`up` natively: makes what is missing, then runs the processes until the end."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from . import build, native, ports, state, tools
from .alerting import with_ways
from .commands import Commands
from .errors import StackError
from .figures import PageFigures, PrometheusFigures, Source
from .follow import Probe, show_live, wait_until_growing
from .interruption import Interrupted, call_on_signals
from .progress import Board
from .screen import last_line, say, show
from .settings import Settings

_HOW_TO_GET_ALL = (
    "Only the handler and the simulator run, with /metrics: {reason} For Prometheus and the"
    " Collector install Go {go} or newer (https://go.dev/dl/) or start a Docker engine, then start"
    " again."
)


@dataclass
class Processes:
    """The stack as local processes."""

    settings: Settings

    def run(self) -> int:
        """Until a signal; raises StackError when it cannot start or a process ends by itself."""
        names, chosen = self._ways()
        self._check_ports(names)
        unbuilt = self._prepare(chosen.to_build if chosen else ())
        if unbuilt is not None:
            names, chosen = native.WITHOUT_TOOLS, None
            self._tell_what_is_missing(f"{last_line(unbuilt)}.")
        # The preparation may have taken minutes.
        self._check_ports(names)
        if chosen is not None:
            native.place_prometheus_config(self.settings)
        env = native.environment(self.settings, chosen, os.environ)
        return self._run(names, env)

    def _ways(self) -> tuple[tuple[str, ...], tools.Tools | None]:
        chosen = tools.choose(self.settings)
        if chosen.can_be_had:
            return native.ALL, chosen
        self._tell_what_is_missing("there is neither Go nor a built Collector here.")
        return native.WITHOUT_TOOLS, None

    def _tell_what_is_missing(self, reason: str) -> None:
        go = build.oldest_go(self.settings.root)
        say(_HOW_TO_GET_ALL.format(reason=reason, go=go))

    def _check_ports(self, names: tuple[str, ...]) -> None:
        wanted = native.ports_of(names)
        ports.check_free({name: self.settings.ports[name] for name in wanted})

    def _prepare(self, to_build: tuple[str, ...]) -> StackError | None:
        commands = Commands()
        with Board() as board:
            return native.Preparation(self.settings, board, commands).run(to_build)

    def _run(self, names: tuple[str, ...], env: Mapping[str, str]) -> int:
        addresses = self._addresses(names)
        state.write(self.settings.run, state.NATIVE, addresses)
        running = native.start(self.settings, names, env)
        source = self._source(names)
        try:
            with Board() as board:
                wait_until_growing(source, self._probes(names), running.check, board)
            show(with_ways(addresses), "logs/")
            show_live(source, running.check)
        except Interrupted:
            # Ending is what a running stack is asked for: not a failure of the command.
            return 0
        finally:
            call_on_signals(running.kill)
            if running.process.poll() is None:
                say("\nStopping (once more Ctrl-C: at once).")
            running.stop()
            state.clear(self.settings.run)
        return 0

    def _source(self, names: tuple[str, ...]) -> Source:
        if "prometheus" in names:
            return PrometheusFigures(self.settings.url("PROMETHEUS_PORT"))
        token = os.environ.get("ACCESS_TOKEN", "")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return PageFigures(self.settings.url("PORT"), headers)

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
        if tools.prometheus_on_path() is None:
            # The module that it is built from does not hold them.
            prometheus += " (its API; its pages come with Docker)"
        return {
            "Handler": handler,
            "Prometheus": prometheus,
            "Alerts": f"http://localhost:{self.settings.ports['ALERTMANAGER_PORT']}",
        }
