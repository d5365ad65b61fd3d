"""What each part of a request costs, by timing the service's own functions in one process.

    .venv/dev/bin/python -m bench.request_cost --models models

Processor time, not the clock's, so other work on the machine adds little; the parts are timed in
turns and the lowest of the rounds is taken. `of scoring` is the ratio to one row in ONNX Runtime,
which holds on any machine. Log lines go to a pipe that another process empties, as under a
container engine.
"""

from __future__ import annotations

import argparse
import json
import logging
import logging.config
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import use_span

from model.serving.features import Transaction
from model.serving.sampling import TransactionSampler
from model.serving.scorer import TableScorer, load_explainer, load_scorer
from service.explanations import Explanations
from service.model_metadata import describe_models
from service.model_router import ModelRouter
from service.predict import Predictor
from service.receipts import Receipts
from service.requests import PredictRequest, decode_json
from service.responses import answer_json
from telemetry.lifecycle import Telemetry, start
from telemetry.logs import build_logging_config, log_request
from telemetry.tail_sampling import TraceSettings
from telemetry.tracing import current_ids

SCOPE = {
    "type": "http",
    "method": "POST",
    "scheme": "http",
    "http_version": "1.1",
    "server": ("127.0.0.1", 5000),
}
HEADERS = {"host": "127.0.0.1:5000", "content-type": "application/json"}
JSON = "application/json"
BOUND = 1_000_000_000  # traces a second: here it is the cost of one that is asked for


@dataclass(frozen=True)
class Part:
    """Something that is timed; one run of it does `units` requests, or rows of a batch."""

    name: str
    run: Callable[[], object]
    units: int = 1


class Bench:
    """The parts of the service with a real model, telling nobody."""

    def __init__(self, scorer: TableScorer, models: Path, telemetry: Telemetry) -> None:
        self.scorer = scorer
        self.telemetry = telemetry
        self.span = telemetry.tracer_provider.get_tracer("bench").start_span("bench")
        self.receipts = Receipts(["a key of the benchmark"])
        explanations = Explanations(
            scorer.card, load_explainer(models, scorer), 0, telemetry.recorder
        )
        self.predictor = Predictor(
            scorer.card,
            ModelRouter(scorer, None),
            explanations,
            self.receipts,
            telemetry.recorder,
            telemetry.spans,
            max_batch=100_000,
        )

    def answer(self, body: bytes) -> bytes:
        """The whole way from a body to an answer's bytes, without server, trace and log."""
        content = self.predictor.predict(PredictRequest(decode_json(JSON, body), False, "key"))
        return answer_json({**content, "request_id": "id"}).body

    def serve(self, body: bytes) -> None:
        """The same with trace and log line: all but the server."""
        with self.telemetry.request_tracer.begin(SCOPE, "/predict", HEADERS) as request:
            began = time.perf_counter()
            self.answer(body)
            seconds = time.perf_counter() - began
            self.telemetry.recorder.record_response("POST", "/predict", 200, seconds)
            log_request(logging.INFO, "id" * 16, "POST", "/predict", 200, seconds)
            request.finish(200)

    def score(self, transactions: list[Transaction]) -> None:
        """Score, decide and count, within a span that is not kept."""
        with use_span(self.span):
            self.predictor.score(transactions, "/predict")
        self.span.trace.spans.clear()
        self.span.trace.measurements.clear()

    def trace(self, class_name: str) -> None:
        """The three spans of a request; a predicted fraud is kept."""
        with self.telemetry.request_tracer.begin(SCOPE, "/predict", HEADERS) as request:
            with self.telemetry.spans.validating():
                pass
            with self.telemetry.spans.scoring() as span:
                span.set_attributes(
                    {
                        "prediction.class_name": class_name,
                        "prediction.count": 1,
                        "model.version": self.scorer.card.version,
                    }
                )
            request.finish(200)

    def log(self) -> None:
        """The line of a request within its trace."""
        log_request(logging.INFO, "id" * 16, "POST", "/predict", 200, 0.0012345)


def list_single_parts(bench: Bench, transaction: dict[str, object]) -> list[Part]:
    """Of one transaction in a request."""
    body = json.dumps(transaction).encode()
    read = bench.predictor.read_transaction(transaction)
    recorder = bench.telemetry.recorder
    answer = json.loads(bench.answer(body))
    return [
        Part("score: ONNX Runtime, one row", lambda: bench.scorer.score([read.row])),
        Part("decode the body", lambda: decode_json(JSON, body)),
        Part("validate", lambda: bench.predictor.read_transaction(transaction)),
        Part("score, decide and count", lambda: bench.score([read])),
        Part("receipt", lambda: bench.receipts.issue("1-ab", "fraud", 0.25, "basic", "low")),
        Part("encode the answer", lambda: answer_json(answer)),
        Part("count the response", lambda: recorder.record_response("POST", "/predict", 200, 0.01)),
        Part("trace that is not kept", lambda: bench.trace("legitimate")),
        Part("trace that is kept, without its export", lambda: bench.trace("fraud")),
        Part("ids of the trace, for the log", current_ids),
        Part("log line", bench.log),
        Part("all but the server", lambda: bench.serve(body)),
    ]


def list_batch_parts(bench: Bench, transactions: list[dict[str, object]]) -> list[Part]:
    """Of one row in a batch."""
    count, batch = len(transactions), {"transactions": transactions}
    body = json.dumps(batch).encode()
    read = [bench.predictor.read_transaction(one) for one in transactions]
    rows = [one.row for one in read]
    result = bench.predictor.score(read, "/predict")
    answer = json.loads(bench.answer(body))
    version, scored, shadows = result.card.version, result.transactions, result.shadows
    issue_all = bench.receipts.issue_all
    return [
        Part("score: ONNX Runtime", lambda: bench.scorer.score(rows), count),
        Part("decode the body", lambda: decode_json(JSON, body), count),
        Part("validate", lambda: bench.predictor.read_batch(batch), count),
        Part("score, decide and count", lambda: bench.score(read), count),
        Part("receipts", lambda: issue_all(version, scored, shadows), count),
        Part("encode the answer", lambda: answer_json(answer), count),
        Part("all but the server", lambda: bench.serve(body), count),
    ]


def time_parts(parts: list[Part], rounds: int, seconds: float) -> dict[str, float]:
    """Microseconds of processor time for one unit of each part."""
    repeats = {part.name: _count_repeats(part, seconds) for part in parts}
    lowest = dict.fromkeys(repeats, float("inf"))
    for _ in range(rounds):
        for part in parts:
            spent = _spend(part, repeats[part.name])
            lowest[part.name] = min(lowest[part.name], spent)
    return lowest


def _count_repeats(part: Part, seconds: float) -> int:
    """So many that a round takes about `seconds`."""
    return max(1, int(seconds * 1e6 / (max(_spend(part, 3), 0.1) * part.units)))


def _spend(part: Part, repeats: int) -> float:
    began = time.process_time()
    for _ in range(repeats):
        part.run()
    return (time.process_time() - began) * 1e6 / repeats / part.units


@contextmanager
def drained_output() -> Iterator[None]:
    """Standard output is a pipe within the block, which a process of its own empties."""
    sys.stdout.flush()
    kept, (read_end, write_end) = os.dup(1), os.pipe()
    reader = os.fork()
    if reader == 0:
        os.close(write_end)
        while os.read(read_end, 1 << 16):
            pass
        os._exit(0)
    os.close(read_end)
    os.dup2(write_end, 1)
    os.close(write_end)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.waitpid(reader, 0)


def format_table(title: str, spent: dict[str, float], unit: float) -> str:
    """As Markdown."""
    head = f"| {title} | µs | of scoring |\n| --- | --- | --- |\n"
    rows = (f"| {name} | {cost:.2f} | {cost / unit:.2f} |" for name, cost in spent.items())
    return head + "\n".join(rows)


def main(arguments: list[str] | None = None) -> None:
    """Print both tables, and how much less a row of a batch costs than a request for one."""
    parser = argparse.ArgumentParser(prog="python -m bench.request_cost", description=__doc__)
    parser.add_argument("--models", type=Path, default=Path("models"), help="published models")
    parser.add_argument("--rows", type=int, default=1000, help="transactions of the batch")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.1, help="of each part in a round")
    options = parser.parse_args(arguments)
    scorer, draw = load_scorer(options.models), random.Random(1)
    sampler = TransactionSampler(scorer.card)
    rows = [sampler.sample(draw) for _ in range(options.rows)]
    with tempfile.TemporaryDirectory() as folder, drained_output():
        environ = {"OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "none"}
        telemetry = start(
            Path(folder),
            describe_models(scorer, None),
            5000,
            environ,
            TraceSettings(share_percent=0, most_per_second=BOUND),
        )
        telemetry.tracer_provider.add_span_processor(SpanProcessor())
        logging.config.dictConfig(build_logging_config("info"))
        bench = Bench(scorer, options.models, telemetry)
        single = time_parts(list_single_parts(bench, rows[0]), options.rounds, options.seconds)
        batch = time_parts(list_batch_parts(bench, rows), options.rounds, options.seconds)
        telemetry.close(1)
    unit = single["score: ONNX Runtime, one row"]
    print(format_table("one transaction in a request", single, unit))
    print()
    print(format_table(f"one of {options.rows} in a request", batch, unit))


if __name__ == "__main__":
    main()
