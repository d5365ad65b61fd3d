"""The Docker engine of this machine: is it there, which images are missing, and docker compose."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from stack.errors import StackError
from stack.progress import ProgressDisplay
from stack.subprocesses import SubprocessRunner

COMPOSE_FILE = "docker-compose.yml"
ANSWER_SECONDS = 8


@dataclass(frozen=True)
class Compose:
    """A running engine, spoken to by `docker compose` or by the older `docker-compose`."""

    root: Path
    command: tuple[str, ...]

    def list_missing_images(self) -> list[str]:
        """The images of the file that come from a registry and are not on this machine yet."""
        # Only the newer flavour has `config --images`.
        printed = _run([*self.command, "config"], self.root)
        if printed is None:
            raise StackError(f"{COMPOSE_FILE} cannot be read by `{' '.join(self.command)}`.")
        services = yaml.safe_load(printed)["services"].values()
        foreign = {service["image"] for service in services if "build" not in service}
        return sorted(name for name in foreign if not _has_image(name, self.root))

    def pull(
        self, images: Sequence[str], display: ProgressDisplay, runner: SubprocessRunner
    ) -> None:
        """Fetches the images; raises StackError when one cannot be pulled."""
        for image in images:
            with display.show(f"image {image}", "pulling", failed="not to be had"):
                runner.run(f"pulling {image}", ["docker", "pull", "-q", image], cwd=self.root)

    def up(
        self, display: ProgressDisplay, runner: SubprocessRunner, variables: Mapping[str, str]
    ) -> None:
        """Builds the project's own images and starts everything in the background."""
        with display.show(
            "containers", "building and starting", done="started", failed="not started"
        ) as task:
            runner.run(
                "starting the containers",
                [*self.command, "up", "-d", "--build"],
                cwd=self.root,
                env=os.environ | dict(variables),
                on_line=lambda line: task.update(line.strip()[:60] or task.text),
            )

    def down(self) -> None:
        """Ends and removes the containers; their data stays in its volumes."""
        subprocess.run([*self.command, "down"], cwd=self.root, check=False, capture_output=True)

    def list_ended(self) -> list[str]:
        """The services whose container does not run any more."""
        up = ["ps", "--services", "--filter", "status=running"]
        running = _run([*self.command, *up], self.root)
        wanted = _run([*self.command, "config", "--services"], self.root)
        if running is None or wanted is None:
            return ["the Docker engine"]
        return sorted(set(wanted.split()) - set(running.split()))

    def is_up(self) -> bool:
        """True when containers of an earlier start are still there."""
        return bool(_run([*self.command, "ps", "-q"], self.root))

    def read_log_tail(self, service: str) -> list[str]:
        """The last lines that the service printed."""
        said = _run([*self.command, "logs", "--no-color", "--tail=10", service], self.root)
        return (said or "").splitlines()


def find_compose(root: Path) -> Compose:
    """The engine; raises StackError saying why there is none to use."""
    if not (root / COMPOSE_FILE).exists():
        raise StackError(f"There is no {COMPOSE_FILE} here.")
    if shutil.which("docker") is None:
        raise StackError("There is no Docker on this machine.")
    if _run(["docker", "info"], root) is None:
        raise StackError("Docker is installed, but its engine does not answer.")
    for command in (("docker", "compose"), ("docker-compose",)):
        if _run([*command, "version"], root) is not None:
            return Compose(root, command)
    raise StackError("The Docker engine runs, but has neither `docker compose` nor docker-compose.")


def _has_image(name: str, root: Path) -> bool:
    return _run(["docker", "image", "inspect", name], root) is not None


def _run(command: Sequence[str], root: Path) -> str | None:
    try:
        said = subprocess.run(
            command, cwd=root, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout
