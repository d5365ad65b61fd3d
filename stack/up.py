"""`up`: chooses the way to run, makes what is missing, starts it and shows it until the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from . import build, engine, native, ports, state, tools
from .commands import Commands
from .engine import Compose
from .errors import StackError
from .figures import PageFigures, PrometheusFigures, Source
from .follow import Probe, show_live, wait_until_growing
from .interruption import Interrupted, call_on_signals, raise_on_signals
from .progress import Board
from .settings import DOCKER_PORTS, Settings

_HOW_TO_GET_ALL = (
    "Only the handler and the simulator run, with /metrics: {reason} For Prometheus and the"
    " Collector install Go {go} or newer (https://go.dev/dl/) or start a Docker engine, then start"
    " again."
)


def say(text: str) -> None:
    """One line for the person, at once also where the output is piped."""
    print(text, flush=True)


def up(settings: Settings, mode: str | None) -> int:
    """Runs the stack until a signal; `mode` is docker, native or None for the best there is."""
    raise_on_signals()
    with state.hold(settings.run):
        native.stop_left_over(settings, say)
        compose = None if mode == state.NATIVE else _compose(settings, required=mode is not None)
        if compose is not None:
            try:
                return Containers(settings, compose).run()
            except ImagesMissing as missing:
                if mode is not None:
                    raise
                say(f"{missing} Running natively instead.")
        return Processes(settings).run()


class ImagesMissing(StackError):
    """The engine runs but cannot have the images."""


def _compose(settings: Settings, *, required: bool) -> Compose | None:
    try:
        return engine.find(settings.root)
    except StackError as error:
        if required:
            raise
        say(f"{error} Running natively.")
        return None


@dataclass
class Containers:
    """The stack under a Docker engine."""

    settings: Settings
    compose: Compose

    def run(self) -> int:
        """Until a signal; raises ImagesMissing when the images cannot be had."""
        taken = {name: self.settings.ports[name] for name in DOCKER_PORTS}
        if not self.compose.is_up():
            ports.check_free(taken)
        addresses = {
            "Handler": f"http://localhost:{taken['PORT']}",
            "Prometheus": f"http://localhost:{taken['PROMETHEUS_PORT']}",
            "Grafana (admin/admin)": f"http://localhost:{taken['GRAFANA_PORT']}",
        }
        state.write(self.settings.run, state.DOCKER, addresses)
        try:
            self._start()
            show(addresses, "docker compose logs -f")
            show_live(self._source(), self._check)
        except Interrupted:
            # Ending is what a running stack is asked for: not a failure of the command.
            return 0
        finally:
            call_on_signals(lambda: say("The containers are ending already."))
            say("\nStopping the containers; their data stays in its volumes.")
            self.compose.down()
            state.clear(self.settings.run)
        return 0

    def _start(self) -> None:
        commands = Commands()
        with Board() as board:
            try:
                self.compose.pull(self.compose.missing_images(), board, commands)
                self.compose.up(board, commands)
            except StackError as error:
                raise ImagesMissing(
                    f"Docker cannot have all images ({_last_line(error)})."
                ) from None
            probes = [
                Probe("handler", f"{self.settings.url('PORT')}/health/ready"),
                Probe("Prometheus", f"{self.settings.url('PROMETHEUS_PORT')}/-/ready"),
            ]
            wait_until_growing(self._source(), probes, self._check, board)

    def _source(self) -> Source:
        return PrometheusFigures(self.settings.url("PROMETHEUS_PORT"))

    def _check(self) -> None:
        ended = self.compose.ended()
        if ended:
            last = "".join(f"\n  {line}" for line in self.compose.log_tail(ended[0]))
            raise StackError(f"The container {ended[0]} does not run any more:{last}")


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
            self._tell_what_is_missing(f"{_last_line(unbuilt)}.")
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
            show(addresses, "logs/")
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
        }
        return [probe for name, probe in every.items() if name in names]

    def _addresses(self, names: tuple[str, ...]) -> dict[str, str]:
        handler = f"http://localhost:{self.settings.ports['PORT']}"
        if "prometheus" not in names:
            return {"Handler": handler, "Metrics": f"{handler}/metrics"}
        prometheus = f"http://localhost:{self.settings.ports['PROMETHEUS_PORT']}"
        return {"Handler": handler, "Prometheus": prometheus}


def show(addresses: Mapping[str, str], logs: str) -> None:
    """The table of addresses."""
    table = Table(show_header=False)
    for name, address in addresses.items():
        table.add_row(name, address)
    table.add_row("Logs", logs)
    table.add_row("Stop", "Ctrl-C, or ./start_mlops.sh stop")
    Console(file=sys.stdout, highlight=False).print(table)


def _last_line(error: StackError) -> str:
    return str(error).strip().splitlines()[-1].strip().rstrip(".")
