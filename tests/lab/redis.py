"""A real Redis, which several replicas of the handler share."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.lab.ports import free_port
from tests.lab.program import Program


class Redis(Program):
    """Keeps nothing on disk."""

    def __init__(self, server: str, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        folder.mkdir(parents=True, exist_ok=True)
        command = [server, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        super().__init__([*command, "--dir", str(folder)], folder / "log", {})

    def is_ready(self) -> bool:
        """It takes connections."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
