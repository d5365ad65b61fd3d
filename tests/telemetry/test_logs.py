"""A log line is one JSON object, written at once; a request's line has no other cost."""

from __future__ import annotations

import asyncio
import json
import logging
import logging.config
import os
import select
from collections.abc import Iterator
from functools import partial

import pytest

from telemetry.lifecycle import Telemetry
from telemetry.logs import GATHER_SECONDS, LineHandler, build_logging_config, log_request
from tests.json_client import JsonClient

REQUEST = ("id-1", "POST", "/predict", 400, 0.0012345, "missing_field")


class Writes(list[bytes]):
    """What was written to a descriptor, a write each; takes `most` bytes of each."""

    most = 1 << 20

    def __call__(self, descriptor: int, content: bytes) -> int:
        self.append(content[: self.most])
        return min(len(content), self.most)

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in b"".join(self).splitlines()]


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Writes]:
    """The handler's loggers as gunicorn sets them up, writing here."""
    written, root = Writes(), logging.getLogger()
    monkeypatch.setattr(os, "write", written)
    handler = LineHandler()
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.INFO)
    yield written
    root.setLevel(level)
    root.removeHandler(handler)


def test_line_of_a_request_is_one_write(writes: Writes) -> None:
    log_request(logging.INFO, *REQUEST)
    [line] = writes
    assert line.endswith(b"\n")
    [content] = writes.lines()
    assert content.pop("time")
    assert content == {
        "level": "info",
        "logger": "handler",
        "message": "request answered",
        "process": os.getpid(),
        "request_id": "id-1",
        "method": "POST",
        "endpoint": "/predict",
        "status": 400,
        "duration_ms": 1.234,
        "error_type": "missing_field",
    }


def test_record_of_a_request_is_that_of_a_logger(
    writes: Writes, caplog: pytest.LogCaptureFixture
) -> None:
    """Other handlers and formatters find what they look for."""
    log_request(logging.INFO, *REQUEST)
    [mine] = caplog.records
    usual = logging.LogRecord("handler", logging.INFO, "", 0, "request answered", (), None)
    assert vars(mine).keys() >= vars(usual).keys()
    assert logging.Formatter("%(asctime)s %(levelname)s %(filename)s %(message)s").format(mine)


def test_what_is_below_the_level_is_not_written(writes: Writes) -> None:
    log_request(logging.DEBUG, *REQUEST)
    assert writes == []


def test_line_that_is_written_in_parts_is_whole(writes: Writes) -> None:
    writes.most = 7
    log_request(logging.INFO, *REQUEST)
    assert len(writes) > 10
    assert writes.lines()[0]["request_id"] == "id-1"


def log_on_a_loop(*levels: int, in_thread: bool = False) -> None:
    """As a worker does: a record of each level, in one turn of its event loop."""

    async def work() -> None:
        [handler] = [one for one in logging.getLogger().handlers if isinstance(one, LineHandler)]
        handler.gather_on(asyncio.get_running_loop())
        for number, level in enumerate(levels):
            log = partial(log_request, level, str(number), "POST", "/predict", 200, 0.001)
            if in_thread:
                await asyncio.to_thread(log)
            else:
                log()
        await asyncio.sleep(3 * GATHER_SECONDS)

    asyncio.run(work())


def test_lines_of_a_moment_are_few_writes_of_whole_lines(writes: Writes) -> None:
    log_on_a_loop(*[logging.INFO] * 60)
    assert len(writes) < 10
    assert all(piece.endswith(b"\n") and len(piece) <= select.PIPE_BUF for piece in writes)
    assert [line["request_id"] for line in writes.lines()] == [str(n) for n in range(60)]


def test_line_is_kept_when_something_is_logged_while_it_is_made(writes: Writes) -> None:
    """As a signal's handler, a finalizer or an argument's text may do."""

    class Talkative:
        def __str__(self) -> str:
            logging.warning("inner")
            return "outer"

    logging.warning("%s", Talkative())
    assert {line["message"] for line in writes.lines()} == {"inner", "outer"}


def test_warning_does_not_wait(writes: Writes) -> None:
    log_on_a_loop(logging.INFO, logging.WARNING, logging.INFO)
    first, second = writes
    assert first.count(b"\n") == 2
    assert second.count(b"\n") == 1


def test_other_threads_do_not_wait(writes: Writes) -> None:
    log_on_a_loop(logging.INFO, logging.INFO, in_thread=True)
    assert len(writes) == 2


def test_nothing_waits_at_the_end(writes: Writes) -> None:
    """The loop ended before its lines were written."""

    async def work() -> None:
        handler.gather_on(asyncio.get_running_loop())
        log_request(logging.INFO, *REQUEST)
        assert writes == []

    [handler] = [one for one in logging.getLogger().handlers if isinstance(one, LineHandler)]
    asyncio.run(work())
    handler.flush()
    assert len(writes.lines()) == 1


def test_output_that_takes_no_more_for_now_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, writes: Writes
) -> None:
    """A pipe that is full and non-blocking."""
    turns = iter([False, True])

    def write(descriptor: int, content: bytes) -> int:
        if not next(turns, True):
            raise BlockingIOError
        return writes(descriptor, content)

    waited: list[object] = []
    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(select, "select", lambda *descriptors: waited.append(descriptors))
    log_request(logging.INFO, *REQUEST)
    assert len(writes.lines()) == 1
    assert len(waited) == 1


def test_exception_and_stack_are_one_line(writes: Writes) -> None:
    try:
        raise ValueError("x\ny")
    except ValueError:
        logging.getLogger("other").exception("it failed", extra={"stack": "a\nb", "amount": 3})
    [content] = writes.lines()
    assert content["stack"] == "a\nb"
    assert "ValueError" in str(content["exception"])
    assert "amount" not in content


def test_line_carries_the_ids_of_its_request(
    client: JsonClient, recorded: Telemetry, writes: Writes, valid: dict[str, object]
) -> None:
    """In Flask and before it."""
    client.post("/predict", json=valid)
    scope = {"type": "http", "method": "POST"}
    with recorded.request_tracer.begin(scope, "/predict", {}) as request:
        log_request(logging.INFO, *REQUEST)
        request.finish(400)
    by_flask, before_it = writes.lines()
    assert len(str(by_flask["trace_id"])) == 32
    assert len(str(by_flask["span_id"])) == 16
    assert (before_it["trace_id"], before_it["span_id"]) == (request.trace_id, request.span_id)


def test_configuration_is_one_that_logging_takes() -> None:
    config = build_logging_config("warning")
    assert config["root"]["level"] == "WARNING"
    logging.config.DictConfigurator(config).configure_handler(config["handlers"]["stdout"])
