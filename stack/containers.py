"""`up` with Docker: has the images, starts the containers, shows them until the end."""

from __future__ import annotations

import time
from dataclasses import dataclass

from . import ports, state
from .alerting import with_ways
from .commands import Commands
from .engine import Compose
from .errors import StackError
from .figures import PrometheusFigures, Source
from .follow import Probe, show_live, wait_until_growing
from .interruption import Interrupted, call_on_signals
from .progress import Board
from .screen import last_line, say, show
from .settings import DOCKER_PORTS, Settings

LOOK_SECONDS = 5.0


class ImagesMissing(StackError):
    """The engine runs but cannot have the images."""


@dataclass
class Containers:
    """The stack under a Docker engine."""

    settings: Settings
    compose: Compose
    _looked: float = 0.0

    def run(self) -> int:
        """Until a signal; raises ImagesMissing, with nothing left over, when there are none."""
        taken = {name: self.settings.ports[name] for name in DOCKER_PORTS}
        if not self.compose.is_up():
            ports.check_free(taken)
        addresses = {
            "Handler": f"http://localhost:{taken['PORT']}",
            "Prometheus": f"http://localhost:{taken['PROMETHEUS_PORT']}",
            "Alerts": f"http://localhost:{taken['ALERTMANAGER_PORT']}",
            "Grafana": f"http://localhost:{taken['GRAFANA_PORT']} (admin/admin at first)",
        }
        commands = Commands()
        with Board() as board:
            self._get_images(board, commands)
        state.write(self.settings.run, state.DOCKER, addresses)
        try:
            with Board() as board:
                self._start(board, commands)
                wait_until_growing(self._source(), self._probes(), self._check, board)
            show(with_ways(addresses), "docker compose logs -f")
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

    def _get_images(self, board: Board, commands: Commands) -> None:
        try:
            self.compose.pull(self.compose.missing_images(), board, commands)
        except StackError as error:
            reason = f"Docker cannot have all images ({last_line(error)})."
            raise ImagesMissing(reason) from None

    def _start(self, board: Board, commands: Commands) -> None:
        try:
            self.compose.up(board, commands)
        except StackError as error:
            reason = f"Docker cannot start the containers ({last_line(error)})."
            raise ImagesMissing(reason) from None

    def _probes(self) -> list[Probe]:
        return [
            Probe("handler", f"{self.settings.url('PORT')}/health/ready"),
            Probe("Prometheus", f"{self.settings.url('PROMETHEUS_PORT')}/-/ready"),
            Probe("Alertmanager", f"{self.settings.url('ALERTMANAGER_PORT')}/-/ready"),
        ]

    def _source(self) -> Source:
        return PrometheusFigures(self.settings.url("PROMETHEUS_PORT"))

    def _check(self) -> None:
        # Each look starts two programs.
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        ended = self.compose.ended()
        if ended:
            last = "".join(f"\n  {line}" for line in self.compose.log_tail(ended[0]))
            raise StackError(f"The container {ended[0]} does not run any more:{last}")
