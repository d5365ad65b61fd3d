"""A closed-loop client: each connection sends its next request when the last one is answered."""

from __future__ import annotations

import http.client
import json
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from tests.lab.paths import ROOT
from tests.lab.traffic import TRANSACTION

BODY = json.dumps(TRANSACTION).encode()


@dataclass(frozen=True)
class LoadResult:
    """What one client saw: answers with 200 and others, seconds, and the time of each answer with
    200 in seconds."""

    answered: int
    refused: int
    seconds: float
    latencies: list[float]


def run_client(port: int, seconds: float, connections: int, pause: float = 0) -> LoadResult:
    """The load on POST /predict of a client that is a process of its own, so that its interpreter
    does not compete with the server's; `pause` in seconds before each request."""
    arguments = [str(port), "/predict", str(seconds), str(connections), str(pause)]
    command = [sys.executable, "-m", "bench.client", *arguments]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return LoadResult(**json.loads(done.stdout))


def send_load(
    port: int, path: str, seconds: float, connections: int, pause: float = 0
) -> LoadResult:
    """POST the same transaction over `connections` kept connections for `seconds`."""
    began = time.perf_counter()
    deadline = began + seconds
    with ThreadPoolExecutor(connections) as pool:
        parts = list(
            pool.map(lambda _: _use_connection(port, path, deadline, pause), range(connections))
        )
    latencies = [latency for part, _ in parts for latency in part]
    refused = sum(others for _, others in parts)
    return LoadResult(len(latencies), refused, time.perf_counter() - began, latencies)


def _use_connection(port: int, path: str, deadline: float, pause: float) -> tuple[list[float], int]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json"}
    latencies = []
    refused = 0
    while time.perf_counter() < deadline:
        time.sleep(pause * 2 * random.random())
        began = time.perf_counter()
        connection.request("POST", path, BODY, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            latencies.append(time.perf_counter() - began)
        else:
            refused += 1
    connection.close()
    return latencies, refused


if __name__ == "__main__":
    port, path, seconds, connections, pause = sys.argv[1:]
    result = send_load(int(port), path, float(seconds), int(connections), float(pause))
    print(json.dumps(asdict(result)))
