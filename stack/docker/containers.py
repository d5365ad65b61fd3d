"""`up` with Docker: pulls the images, starts the containers, shows them until the end."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from stack import ports, state
from stack.docker.engine import Compose
from stack.errors import StackError
from stack.monitoring.alerts import with_receivers
from stack.monitoring.key_metrics import PrometheusSource, ask_handler
from stack.monitoring.live_line import show_live_line
from stack.monitoring.readiness import Probe, wait_until_ready
from stack.progress import ProgressDisplay
from stack.settings import DOCKER_PORTS, Settings
from stack.signals import Interrupted, call_on_signals
from stack.subprocesses import SubprocessRunner
from stack.terminal import last_line, print_addresses, print_message

CHECK_SECONDS = 5.0


class ImagesMissing(StackError):
    """The engine runs but cannot pull or build an image."""


@dataclass
class DockerStack:
    """The stack under a Docker engine."""

    settings: Settings
    compose: Compose
    _checked: float = 0.0

    def run(self) -> int:
        """Until a signal; raises ImagesMissing, with nothing left over, when there are none."""
        taken = {name: self.settings.ports[name] for name in DOCKER_PORTS}
        if not self.compose.is_up():
            ports.check_free(taken)
        addresses = {
            "Dashboards": f"http://localhost:{taken['PROMETHEUS_PORT']}/user/",
            "Handler": f"http://localhost:{taken['PORT']}",
            "Prometheus": f"http://localhost:{taken['PROMETHEUS_PORT']}",
            "Alerts": f"http://localhost:{taken['ALERTMANAGER_PORT']}",
            "Grafana": f"http://localhost:{taken['GRAFANA_PORT']} (admin/admin at first)",
        }
        runner = SubprocessRunner()
        with ProgressDisplay() as display:
            self._get_images(display, runner)
        state.write(self.settings.run, state.DOCKER, addresses)
        try:
            with ProgressDisplay() as display:
                self._start(display, runner)
                handler = ask_handler(self.settings.url("PORT"), os.environ)
                counts = PrometheusSource(self.settings.url("PROMETHEUS_PORT"), handler)
                wait_until_ready(counts, self._probes(), self._check, display)
            print_addresses(with_receivers(addresses), "docker compose logs -f")
            show_live_line(handler, self._check)
        except Interrupted:
            # Ending is what a running stack is asked for: not a failure of the command.
            return 0
        finally:
            call_on_signals(lambda: print_message("The containers are ending already."))
            print_message("\nStopping the containers; their data stays in its volumes.")
            self.compose.down()
            state.clear(self.settings.run)
        return 0

    def _get_images(self, display: ProgressDisplay, runner: SubprocessRunner) -> None:
        try:
            self.compose.pull(self.compose.list_missing_images(), display, runner)
        except StackError as error:
            reason = f"Docker cannot have all images ({last_line(error)})."
            raise ImagesMissing(reason) from None

    def _start(self, display: ProgressDisplay, runner: SubprocessRunner) -> None:
        try:
            self.compose.up(display, runner, self.settings.moved)
        except StackError as error:
            reason = f"Docker cannot start the containers ({last_line(error)})."
            raise ImagesMissing(reason) from None

    def _probes(self) -> list[Probe]:
        return [
            Probe("handler", f"{self.settings.url('PORT')}/health/ready"),
            Probe("Prometheus", f"{self.settings.url('PROMETHEUS_PORT')}/-/ready"),
            Probe("Alertmanager", f"{self.settings.url('ALERTMANAGER_PORT')}/-/ready"),
        ]

    def _check(self) -> None:
        # Each check starts two programs.
        if time.monotonic() - self._checked < CHECK_SECONDS:
            return
        self._checked = time.monotonic()
        ended = self.compose.list_ended()
        if ended:
            tail = "".join(f"\n  {line}" for line in self.compose.read_log_tail(ended[0]))
            raise StackError(f"The container {ended[0]} does not run any more:{tail}")
