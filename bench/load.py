"""Load on POST /predict by wrk, or where that is not installed by a client in Python.

wrk is a closed loop: each connection sends its next request when the last one is answered. With a
pause before each request it gives less than the most that a server takes.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.client import BODY, run_client

_SCRIPT = """
wrk.method = "POST"
wrk.body = '%s'
wrk.headers["Content-Type"] = "application/json"
%s
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\\n{"answered": %%d, "failed": %%d, "micros": %%d, "p50": %%d, "p99": %%d, "p999": %%d}\\n',
    summary.requests, errors.status + errors.connect + errors.read + errors.write + errors.timeout,
    summary.duration, latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
"""
_PAUSE = "function delay() return math.random(0, %d) end\n"


@dataclass(frozen=True)
class Target:
    """A server on loopback, and what is POSTed to it."""

    port: int
    path: str = "/predict"
    body: bytes = BODY


@dataclass(frozen=True)
class Load:
    """What the client saw: answers per second, latencies in milliseconds, failed requests."""

    answered: int
    failed: int
    rate: float
    p50_ms: float
    p99_ms: float
    p999_ms: float


def has_wrk() -> bool:
    """True where wrk is installed."""
    return shutil.which("wrk") is not None


def send_load(to: Target, seconds: float, connections: int, pause_ms: int = 0) -> Load:
    """Load for so long; with a pause each connection waits 0 to 2 x `pause_ms` before a request.

    Without wrk nothing but the service's own call can be made.
    """
    if has_wrk():
        return _run_wrk(to, seconds, connections, pause_ms)
    if to != Target(to.port):
        raise RuntimeError(f"wrk is not installed, which {to.path} needs")
    result = run_client(to.port, seconds, connections, pause_ms / 1000)
    times = sorted(result.latencies)
    p50, p99, p999 = (1000 * times[int(share * len(times))] for share in (0.5, 0.99, 0.999))
    return Load(result.answered, result.refused, result.answered / result.seconds, p50, p99, p999)


def _run_wrk(to: Target, seconds: float, connections: int, pause_ms: int) -> Load:
    pause = _PAUSE % (2 * pause_ms) if pause_ms else ""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "predict.lua"
        script.write_text(_SCRIPT % (to.body.decode(), pause))
        url = f"http://127.0.0.1:{to.port}{to.path}"
        options = ["-t1", f"-c{connections}", f"-d{seconds:g}", "-s", str(script), url]
        done = subprocess.run(["wrk", *options], check=True, capture_output=True, text=True)
    seen = json.loads(done.stdout.strip().rpartition("\n")[2])
    latencies = (seen[name] / 1000 for name in ("p50", "p99", "p999"))
    rate = seen["answered"] / seen["micros"] * 1e6
    return Load(seen["answered"], seen["failed"], rate, *latencies)
