"""How gunicorn serves the handler: `gunicorn -c gunicorn.conf.py 'handler:build()'`.

Its code is imported here, once, in memory that the workers share. Each builds the application after
the fork: telemetry must be its own, and a fork after the import of ONNX Runtime ends in an abort.
"""

import gc
import importlib
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from service.access import find_widest_host, read_safe_settings
from service.recycling import RollingReplacement, stagger
from service.settings import SettingError
from service.state import prepare_state_dir
from telemetry.logs import build_logging_config
from telemetry.otel_variables import drop_empty_variables

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker

# Two OpenMP threads in each of two workers made scoring fifty times slower: one a worker.
os.environ.setdefault("OMP_NUM_THREADS", "1")
try:
    _settings = read_safe_settings(os.environ)
    # Here, too: two workers that cannot boot at the same moment make gunicorn's own halt fail.
    if _settings.state_dir is not None:
        prepare_state_dir(_settings.state_dir)
    if _settings.receipt_dir is not None:
        prepare_state_dir(_settings.receipt_dir, "RECEIPT_DIR")
except SettingError as error:
    sys.exit(f"The handler cannot start: {error}")

# What is imported by now is the workers', too: less memory, and a quicker start of each. The last
# reads OTEL_PROPAGATORS: that it cannot be used is said by the workers, in one sentence.
drop_empty_variables(os.environ)
for _module in ("handler", "numpy.random", "opentelemetry.instrumentation.flask"):
    with suppress(ValueError):
        importlib.import_module(_module)

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
worker_class = "service.recycling.RecycledWorker"
max_requests = _settings.worker_max_requests
# So that replicas do not replace their workers at the same moment; those of one: see pre_fork.
max_requests_jitter = max_requests // 4
graceful_timeout = _settings.shutdown_seconds
# A worker that stops gives no sign of life.
timeout = max(30, _settings.shutdown_seconds + 10)
# gunicorn 27 opens a control socket unless told not to.
control_socket_disable = True
# Heartbeats on a disk-backed /tmp can stall a worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
logconfig_dict = build_logging_config(_settings.log_level)
accesslog = None


def pre_fork(server: "Arbiter", worker: "Worker") -> None:
    """The collector of garbage writes into what it looks at: memory that is shared no longer."""
    gc.freeze()
    if server.cfg.max_requests:
        others = len(server.WORKERS)
        worker.max_requests = stagger(worker.max_requests, others, server.num_workers)


def on_starting(server: "Arbiter") -> None:
    """`--bind` and GUNICORN_CMD_ARGS may listen elsewhere than HOST says: HOST is what they say."""
    replacement = RollingReplacement(server)
    server.manage_workers = replacement.manage_workers  # type: ignore[method-assign]
    server.reload = replacement.reload  # type: ignore[method-assign]
    server.reap_workers = replacement.reap_workers  # type: ignore[method-assign]
    listeners = [address[0] for address in server.cfg.address if isinstance(address, tuple)]
    try:
        os.environ["HOST"] = find_widest_host(listeners, _settings.host)
        read_safe_settings(os.environ)
    except SettingError as error:
        sys.exit(f"The handler cannot start: {error}")


def on_exit(server: object) -> None:
    """In the arbiter alone, after its last worker."""
    if made := os.environ.get(_MADE_STATE_DIR):
        shutil.rmtree(made, ignore_errors=True)
