"""A Docker engine for the compose test: one of its own, apart from any other on this machine.

Needs root, `dockerd`, `docker` and `debootstrap` (Debian: docker.io, docker-compose, debootstrap).
Its images and layers stay in a folder, so that a second run is quick; everything else goes with it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.polling import until

START_SECONDS = 60


class EngineError(Exception):
    """One sentence: what is missing on this machine, or what went wrong."""


@dataclass(frozen=True)
class Engine:
    """A running engine and the environment in which its clients find it."""

    client: str
    environ: dict[str, str]

    def docker(self, *words: str, check: bool = True) -> str:
        """What `docker <words>` prints."""
        return self.run([self.client, *words], check=check)

    def run(self, command: Sequence[str], *, cwd: Path | None = None, check: bool = True) -> str:
        ran = subprocess.run(
            command, cwd=cwd, env=self.environ, text=True, capture_output=True, check=False
        )
        if check and ran.returncode:
            raise EngineError(f"{' '.join(command)} failed: {ran.stderr[-3000:]}")
        return ran.stdout

    def has_image(self, name: str) -> bool:
        return bool(self.docker("images", "-q", name))


def _find_program(name: str, *folders: str) -> str:
    found = shutil.which(name, path=":".join([*folders, os.environ["PATH"]]))
    if found is None:
        raise EngineError(f"{name} is missing: install docker.io, docker-compose and debootstrap.")
    return found


@contextlib.contextmanager
def own_engine(data: Path) -> Iterator[Engine]:
    """Starts dockerd with its images under `data`, and stops it afterwards."""
    if os.geteuid() != 0:
        raise EngineError("A Docker engine of its own needs root.")
    dockerd = _find_program("dockerd", "/usr/sbin")
    # The client that was installed with the engine comes first: a newer one may want plugins.
    client = _find_program("docker", "/usr/bin")
    data.mkdir(parents=True, exist_ok=True)
    # Paths of sockets are short, so these are not under `data`.
    with (
        tempfile.TemporaryDirectory(prefix="engine-") as folder,
        (data / "dockerd.log").open("w") as log,
    ):
        address = f"unix://{folder}/docker.sock"
        options = ["--data-root", str(data / "images"), "--exec-root", f"{folder}/run"]
        process = subprocess.Popen(
            [dockerd, *options, "--pidfile", f"{folder}/dockerd.pid", "-H", address],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        environ = {
            **os.environ,
            "PATH": f"{Path(client).parent}:{os.environ['PATH']}",
            "DOCKER_HOST": address,
            # Plugins built for this engine's client are kept too.
            "DOCKER_CONFIG": str(data / "client"),
            "DOCKER_BUILDKIT": "1",
        }
        engine = Engine(client, environ)
        try:
            _wait(engine, process, data / "dockerd.log")
            yield engine
        finally:
            process.terminate()
            process.wait(60)


def _wait(engine: Engine, process: subprocess.Popen[bytes], log: Path) -> None:
    def answers() -> bool:
        version = engine.docker("version", "--format", "{{.Server.Version}}", check=False)
        return bool(version.strip()) or process.poll() is not None

    with contextlib.suppress(AssertionError):
        until(answers, START_SECONDS, "dockerd answers")
        if process.poll() is None:
            return
    raise EngineError(f"dockerd did not start: {log.read_text()[-2000:]}")
