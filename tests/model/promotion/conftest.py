"""A Prometheus that answers as it is told, and a registry with a champion and a challenger."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import msgspec
import pytest

from model.cli import main
from model.registry.writer import RegistryWriter
from model.serving.registry import Published
from tests.conftest import make_card
from tests.model.promotion.pairs import CAUGHT

Answer = tuple[int, object]
COUNTED = {"metric": {}, "value": [0, "2"]}


class Server:
    """Answers as Prometheus would, and keeps the headers and parameters that it was sent."""

    def __init__(self) -> None:
        self.headers: list[str | None] = []
        self.asked: list[dict[str, str]] = []
        self.answer: Callable[[dict[str, str]], Answer] = lambda asked: (
            200,
            {"data": {"result": []}},
        )
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                asked = {name: values[0] for name, values in parse_qs(body).items()}
                outer.asked.append(asked)
                outer.headers.append(self.headers["Authorization"])
                status, content = outer.answer(asked)
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr("urllib3.util.Retry.sleep", lambda *_: None)
    made = Server()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RegistryWriter:
    """A folder with a champion and another version, without files: enough to decide."""
    for name in ("CHALLENGER", "PROMETHEUS_URL", "PROMETHEUS_USER", "PROMETHEUS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    registry = RegistryWriter(tmp_path / "models")
    empty = tmp_path / "empty"
    empty.mkdir()
    for seed in (1, 2):
        card = registry.name_card(msgspec.structs.replace(make_card(), seed=seed))
        registry.publish(card, empty, Published(trained_at=time.time() - 600, training_seconds=1))
    registry.promote(registry.versions()[0])
    return registry


def answer_as_prometheus(
    models: RegistryWriter, better: int, worse: int, alike: int
) -> Callable[[dict[str, str]], Answer]:
    """Answers in which both versions of `models` are loaded and have so many labelled outcomes."""
    champion, challenger = models.versions()

    def answer(asked: dict[str, str]) -> Answer:
        if asked["query"].startswith("count("):
            return 200, {"data": {"resultType": "vector", "result": [COUNTED]}}
        end, seconds = float(asked["time"]), int(asked["query"].rpartition("[")[2][:-3]) / 1000

        def series(labels: dict[str, str], *values: float) -> dict[str, object]:
            times = [end - seconds / 2 + number for number in range(len(values))]
            points = [[at, str(value)] for at, value in zip(times, values, strict=True)]
            return {"metric": {"instance": "a", **labels}, "values": points}

        if asked["query"].startswith("model_version"):
            roles = {"champion": champion, "challenger": challenger}
            found = [series({"role": r, "version": v}, 1, 1) for r, v in roles.items()]
        else:
            other = {"champion": "fraud", "challenger": "legitimate", "truth": "fraud"}
            same = {"champion": "fraud", "challenger": "fraud", "truth": "fraud"}
            pairs = ((CAUGHT, better), (other, worse), (same, alike))
            found = [series(cell, 0, value) for cell, value in pairs]
        return 200, {"data": {"result": found}}

    return answer


def ask(models: RegistryWriter, server: Server, *more: str) -> int:
    base = ["promote", "--models", str(models.root), "--if-better", "--prometheus", server.url]
    return main([*base, "--maturity", "0", *more])
