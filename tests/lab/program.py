"""A real program that a test starts, with its output in a file.

Each program is a file beside this one: Handler, Collector, Prometheus, Alertmanager, Redis. Their
listeners are on loopback, at ports that were free. `with` starts one and kills it at the end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from tests.lab.environment import clean_environment
from tests.lab.polling import until


class Program:
    """A command and its environment; it can be started again after it ended."""

    ready_seconds: ClassVar[float] = 60
    """How long `start` waits for it."""

    def __init__(self, command: list[str], log: Path, env: Mapping[str, str]) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.command = command
        self.log = log
        self.env = dict(env)
        self.process: subprocess.Popen[bytes] | None = None

    def is_ready(self) -> bool:
        """True once it does what it is for."""
        raise NotImplementedError

    def launch(self) -> None:
        """Starts it in a process group of its own, appending to its log; returns at once."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                stdout=output,
                stderr=output,
                env=clean_environment() | self.env,
                start_new_session=True,
            )

    def start(self) -> Self:
        """Returns when it is ready; AssertionError with its last output if it never is."""
        self.launch()
        return self.wait_until_ready()

    def wait_until_ready(self) -> Self:
        """After `launch`; AssertionError with its last output if it never is."""
        what = f"{type(self).__name__} is ready"
        try:
            until(lambda: self._has_ended() or self.is_ready(), self.ready_seconds, what)
            assert not self._has_ended(), f"{type(self).__name__} ended instead of starting"
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.log} ends: {self.output()[-2000:]}") from None
        return self

    def kill(self) -> None:
        """SIGKILL to it and to all that it started: nothing can be tidied up."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def terminate(self, grace: float = 20) -> float:
        """SIGTERM; gives the seconds until it was gone. TimeoutExpired after the grace."""
        began = time.monotonic()
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(grace)
                self.process = None
            finally:
                self.kill()
        return time.monotonic() - began

    def resident_mib(self) -> float:
        """Memory that it holds now."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def output(self) -> str:
        """Everything that it has printed."""
        return self.log.read_text(errors="replace")

    def _has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.kill()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
