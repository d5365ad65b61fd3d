"""The Docker engine of this machine: is it there, can it have the images, and its two commands."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from .commands import Commands
from .errors import StackError
from .progress import Board

COMPOSE_FILE = "docker-compose.yml"
ANSWER_SECONDS = 8


@dataclass(frozen=True)
class Compose:
    """A running engine, spoken to by `docker compose` or by the older `docker-compose`."""

    root: Path
    command: tuple[str, ...]

    def missing_images(self) -> list[str]:
        """The images of the file that come from a registry and are not on this machine yet."""
        # Only the newer flavour has `config --images`.
        printed = _answer([*self.command, "config"], self.root)
        if printed is None:
            raise StackError(f"{COMPOSE_FILE} cannot be read by `{' '.join(self.command)}`.")
        services = yaml.safe_load(printed)["services"].values()
        foreign = {service["image"] for service in services if "build" not in service}
        return sorted(name for name in foreign if not _has_image(name, self.root))

    def pull(self, images: Sequence[str], board: Board, commands: Commands) -> None:
        """Fetches the images; raises StackError when one cannot be had."""
        for image in images:
            task = board.start(f"image {image}", "pulling")
            try:
                commands.run(f"pulling {image}", ["docker", "pull", "-q", image], cwd=self.root)
            except BaseException:
                board.finish(task, "not to be had", failed=True)
                raise
            board.finish(task)

    def up(self, board: Board, commands: Commands) -> None:
        """Builds the project's own images and starts everything in the background."""
        task = board.start("containers", "building and starting")
        try:
            commands.run(
                "starting the containers",
                [*self.command, "up", "-d", "--build"],
                cwd=self.root,
                on_line=lambda line: task.tell(line.strip()[:60] or task.text),
            )
        except BaseException:
            board.finish(task, "not started", failed=True)
            raise
        board.finish(task, "started")

    def down(self) -> None:
        """Ends and removes the containers; their data stays in its volumes."""
        subprocess.run([*self.command, "down"], cwd=self.root, check=False, capture_output=True)

    def ended(self) -> list[str]:
        """The services whose container does not run any more."""
        up = ["ps", "--services", "--filter", "status=running"]
        running = _answer([*self.command, *up], self.root)
        wanted = _answer([*self.command, "config", "--services"], self.root)
        if running is None or wanted is None:
            return ["the Docker engine"]
        return sorted(set(wanted.split()) - set(running.split()))

    def is_up(self) -> bool:
        """True when containers of an earlier start are still there."""
        return bool(_answer([*self.command, "ps", "-q"], self.root))

    def log_tail(self, service: str) -> list[str]:
        """The last lines that the service printed."""
        said = _answer([*self.command, "logs", "--no-color", "--tail=10", service], self.root)
        return (said or "").splitlines()


def find(root: Path) -> Compose:
    """The engine; raises StackError saying why there is none to use."""
    if not (root / COMPOSE_FILE).exists():
        raise StackError(f"There is no {COMPOSE_FILE} here.")
    if shutil.which("docker") is None:
        raise StackError("There is no Docker on this machine.")
    if _answer(["docker", "info"], root) is None:
        raise StackError("Docker is installed, but its engine does not answer.")
    for command in (("docker", "compose"), ("docker-compose",)):
        if _answer([*command, "version"], root) is not None:
            return Compose(root, command)
    raise StackError("The Docker engine runs, but has neither `docker compose` nor docker-compose.")


def _has_image(name: str, root: Path) -> bool:
    return _answer(["docker", "image", "inspect", name], root) is not None


def _answer(command: Sequence[str], root: Path) -> str | None:
    try:
        said = subprocess.run(
            command, cwd=root, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout
