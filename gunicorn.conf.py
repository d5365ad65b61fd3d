"""How gunicorn serves the handler: `gunicorn -c gunicorn.conf.py 'handler:build()'`.

The application is not preloaded: each worker builds its own telemetry after the fork, and a fork
after ONNX Runtime has made its threads ends in an abort when the worker exits.
"""

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, cast

from gunicorn.workers.base import Worker

from service.access import read_safe_settings
from service.settings import SettingError
from telemetry.logs import build_logging_config

if TYPE_CHECKING:
    from flask import Flask

# Two OpenMP threads in each of two workers made scoring fifty times slower: one a worker.
os.environ.setdefault("OMP_NUM_THREADS", "1")
try:
    _settings = read_safe_settings(os.environ)
except SettingError as error:
    sys.exit(f"The handler cannot start: {error}")

# All workers share the counters' folder; without a setting it lives as long as this service. A
# reload of this file finds it in the environment. Only the arbiter removes it: a worker is a fork
# of it, and what it inherits to clean up at its exit would take the others' counters away.
_MADE_STATE_DIR = "FRAUD_HANDLER_MADE_STATE_DIR"
if not os.environ.get("STATE_DIR"):
    os.environ["STATE_DIR"] = tempfile.mkdtemp(prefix="fraud-handler-")
    os.environ[_MADE_STATE_DIR] = os.environ["STATE_DIR"]

# An IPv6 address stands in brackets before the port.
_host = f"[{_settings.host}]" if ":" in _settings.host else _settings.host
bind = f"{_host}:{_settings.port}"
workers = _settings.web_concurrency
threads = _settings.worker_threads
worker_class = "gthread"
max_requests = _settings.worker_max_requests
graceful_timeout = _settings.shutdown_seconds
timeout = 30
# gunicorn 27 opens a control socket unless told not to.
control_socket_disable = True
# Heartbeats on a disk-backed /tmp can stall a worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
logconfig_dict = build_logging_config(_settings.log_level)
accesslog = None


def on_exit(server: object) -> None:
    """In the arbiter alone, after its last worker."""
    if made := os.environ.get(_MADE_STATE_DIR):
        shutil.rmtree(made, ignore_errors=True)


def post_worker_init(worker: Worker) -> None:
    """From SIGTERM on the worker says that it is not ready, then shuts down gracefully."""
    readiness = cast("Flask", worker.wsgi).extensions["readiness"]
    shut_down = worker.handle_exit

    def begin_shutdown(number: int, frame: FrameType | None) -> None:
        readiness.begin_shutdown()
        shut_down(number, frame)

    signal.signal(signal.SIGTERM, begin_shutdown)
