"""A closed-loop client: each connection sends its next request when the last one is answered."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BODY = json.dumps(
    {
        "amount": 120.5,
        "age": 35,
        "account_balance": 2500.0,
        "transaction_frequency": 5,
        "location_risk": 0.2,
    }
).encode()


@dataclass(frozen=True)
class Load:
    """What one client saw: answers with 200 and others, seconds, and the time of each answer with
    200 in seconds."""

    answered: int
    refused: int
    seconds: float
    latencies: list[float]


def drive(port: int, path: str, seconds: float, connections: int) -> Load:
    """POST the same transaction over `connections` kept connections for `seconds`."""
    deadline = time.perf_counter() + seconds
    began = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        parts = list(pool.map(lambda _: _one(port, path, deadline), range(connections)))
    latencies = [latency for part, _ in parts for latency in part]
    refused = sum(others for _, others in parts)
    return Load(len(latencies), refused, time.perf_counter() - began, latencies)


def _one(port: int, path: str, deadline: float) -> tuple[list[float], int]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json"}
    latencies = []
    refused = 0
    while (began := time.perf_counter()) < deadline:
        connection.request("POST", path, BODY, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            latencies.append(time.perf_counter() - began)
        else:
            refused += 1
    connection.close()
    return latencies, refused


def load(port: int, seconds: float, connections: int) -> Load:
    """The load on POST /predict of a client that is a process of its own, so that its interpreter
    does not stand in the server's way."""
    arguments = [str(port), "/predict", str(seconds), str(connections)]
    command = [sys.executable, "-m", "bench.client", *arguments]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return Load(**json.loads(told.stdout))


if __name__ == "__main__":
    port, path, seconds, connections = sys.argv[1:]
    print(json.dumps(asdict(drive(int(port), path, float(seconds), int(connections)))))
