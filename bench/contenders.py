"""Servers of the same model that are measured beside each other; each has two workers."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import requests

from bench.client import BODY
from tests.lab.paths import ROOT
from tests.lab.ports import free_port
from tests.lab.program import Program
from tests.lab.traffic import TRANSACTION

_SERVICE = ("-m", "gunicorn", "--chdir", str(ROOT), "-c", str(ROOT / "gunicorn.conf.py"),
            "handler:build()")  # fmt: skip
_FASTAPI = ("-m", "uvicorn", "--app-dir", str(ROOT / "bench" / "peers"), "--factory",
            "fastapi_app:build", "--workers", "2", "--no-access-log", "--log-level", "warning",
            "--port", "{port}")  # fmt: skip
# Without a configuration of its own gunicorn would read the service's.
_FLASK = ("-m", "gunicorn", "-c", "python:bench.bare_flask", "-k", "gthread", "-w", "2",
          "--threads", "4", "--no-control-socket", "-b", "127.0.0.1:{port}",
          "bench.bare_flask:build()")  # fmt: skip


@dataclass(frozen=True)
class Contender:
    """What is run, with which settings, in which environment (stack.environments); what one
    transaction is sent as. `{port}`, `{port2}` and `{port3}` are free ones."""

    arguments: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    environment: str = "peers"
    path: str = "/predict"
    body: bytes = BODY


OWN = "this service, all on"
QUIET = "this service, telemetry and logs off"
SKLEARN = "FastAPI + scikit-learn + instrumentator"
ONNX = "FastAPI + ONNX Runtime, no telemetry"
ONNX_OTEL = "the same + OpenTelemetry, 10 % of traces"
CONTENDERS = {
    OWN: Contender(_SERVICE, {"LOG_LEVEL": "info"}, "dev"),
    QUIET: Contender(_SERVICE, {"LOG_LEVEL": "warning", "OTEL_SDK_DISABLED": "true"}, "dev"),
    SKLEARN: Contender(_FASTAPI, {"PEER": "sklearn"}),
    ONNX: Contender(_FASTAPI, {"PEER": "onnx"}),
    ONNX_OTEL: Contender(
        _FASTAPI,
        {
            "PEER": "onnx_otel",
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.1",
        },
    ),
    "Flask + gunicorn gthread, a constant": Contender(_FLASK),
}
_PEERS = str(ROOT / "bench" / "peers")
OTHERS = {
    "this service": CONTENDERS[OWN],
    "BentoML + ONNX Runtime": Contender(
        ("-m", "bentoml", "serve", "--working-dir", _PEERS, "-p", "{port}",
         "--host", "127.0.0.1", "bento_service:Fraud"),
        {"BENTOML_DO_NOT_TRACK": "True"},
        "peers-bentoml",
    ),
    "MLServer + ONNX Runtime": Contender(
        ("-c", "from mlserver.cli import main; main()", "start", _PEERS),
        {"MLSERVER_HTTP_PORT": "{port}", "MLSERVER_GRPC_PORT": "{port2}",
         "MLSERVER_METRICS_PORT": "{port3}", "MLSERVER_HOST": "127.0.0.1",
         "MLSERVER_PARALLEL_WORKERS": "2", "MLSERVER_DEBUG": "False", "PYTHONPATH": _PEERS},
        "peers-mlserver",
        "/v2/models/fraud/infer",
        json.dumps(
            {"inputs": [{"name": "features", "shape": [1, len(TRANSACTION)], "datatype": "FP64",
                         "data": [*TRANSACTION.values()]}]}
        ).encode(),
    ),
}  # fmt: skip
"""Whole frameworks, as their makers' guides show them, each in an environment of its own."""


class Server(Program):
    """A contender as it runs; `models` is a folder of published models, `sink` an OTLP target."""

    ready_seconds = 120

    def __init__(
        self, contender: Contender, python: Path, folder: Path, models: Path, sink: str
    ) -> None:
        self.port = free_port()
        self.contender = contender
        self._url = f"http://127.0.0.1:{self.port}{contender.path}"
        ports = {"{port}": self.port, "{port2}": free_port(), "{port3}": free_port()}

        def fill(text: str) -> str:
            for name, port in ports.items():
                text = text.replace(name, str(port))
            return text

        arguments = [fill(each) for each in contender.arguments]
        settings = {name: fill(value) for name, value in contender.settings.items()}
        environment = {
            "PORT": str(self.port),
            "MODEL_DIR": str(models),
            "STATE_DIR": str(folder / "state"),
            "WEB_CONCURRENCY": "2",
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "ORT_DISABLE_TELEMETRY": "1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink,
            "OTEL_METRIC_EXPORT_INTERVAL": "5000",
        }
        super().__init__([str(python), *arguments], folder / "log", environment | settings)

    def is_ready(self) -> bool:
        """It has answered a prediction."""
        try:
            headers = {"Content-Type": "application/json"}
            return requests.post(self._url, self.contender.body, headers=headers, timeout=5).ok
        except requests.RequestException:
            return False

    def kill(self) -> None:
        """With the workers that have a session of their own, as BentoML's do."""
        started: list[psutil.Process] = []
        if self.process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                started = self.processes()
        super().kill()
        for one in started:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()

    def processes(self) -> list[psutil.Process]:
        """The first one and all that it started."""
        assert self.process is not None
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """Processor time of all its processes so far."""
        return sum(sum(one.cpu_times()[:2]) for one in self.processes())

    def pss_mib(self) -> float:
        """Memory of all its processes, what they share divided among them."""
        return sum(one.memory_full_info().pss for one in self.processes()) / 2**20
