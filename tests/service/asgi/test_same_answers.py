"""Flask alone and the ASGI application before it: the same answers, headers, counts, log lines."""

from __future__ import annotations

import dataclasses
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from handler import create_app, create_asgi_app
from service.receipts import Receipts
from service.settings import Settings, read_settings
from telemetry.lifecycle import Telemetry, start
from tests.conftest import FACTS, SILENT, LocationRiskScorer
from tests.json_client import JsonClient, make_client
from tests.service.asgi.server import AsgiServer, asgi_server
from tests.service.test_refusals import CASES, GOOD, Case, but

Answer = tuple[int, dict[str, str], object]
JSON = {"Content-Type": "application/json"}
BATCH = json.dumps({"transactions": [GOOD, GOOD | {"amount": 3.5}]})
TOKEN = "a-token-of-the-tests"
MORE = {
    "one transaction": Case(but(), 200, "", ""),
    "fraud": Case(but(location_risk=0.9), 200, "", ""),
    "user type": Case(but(user_type="premium"), 200, "", ""),
    "slash at the end": Case(but(), 200, "", "", path="/predict/"),
    "media type with a charset": Case(
        but(), 200, "", "", headers={"Content-Type": "application/json; charset=utf-8"}
    ),
    "media type in capitals": Case(
        but(), 200, "", "", headers={"Content-Type": "Application/JSON"}
    ),
    "byte order mark": Case(b"\xef\xbb\xbf" + but().encode(), 200, "", ""),
    "batch": Case(BATCH, 200, "", ""),
    "key of a batch in disguise": Case(
        BATCH.replace('"transactions"', '"\\u0074ransactions"'), 200, "", ""
    ),
    "bad flag": Case(but(), 400, "unknown_category", "", path="/predict?explain=1"),
    "reasons that there are none of": Case(
        but(), 503, "unavailable", "", path="/predict?explain=true"
    ),
    "other query": Case(but(), 200, "", "", path="/predict?a=b"),
    "fault": Case(but(), 500, "internal", "", headers=JSON | {"X-Fault": "error"}),
    "unreadable fault": Case(but(), 400, "bad_request", "", headers=JSON | {"X-Fault": "x"}),
    "no token": Case(but(), 401, "unauthorized", "", headers=JSON | {"Authorization": ""}),
    "wrong token": Case(
        but(), 401, "unauthorized", "", headers=JSON | {"Authorization": "Bearer x"}
    ),
    "safe id": Case(but(), 200, "", "", headers=JSON | {"X-Request-ID": "order-17"}),
    "start page": Case("", 200, "", "", "/", "GET", {}),
    "description": Case("", 200, "", "", "/openapi.json", "GET", {}),
    "file of many pieces": Case("", 200, "", "", "/docs/swagger-ui-bundle.js", "GET", {}),
    "head only": Case("", 200, "", "", "/health/live", "HEAD", {}),
    "path in UTF-8": Case("", 404, "not_found", "", "/caf%C3%A9", "GET", {}),
    "path in no code": Case("", 404, "not_found", "", "/%FF", "GET", {}),
    "options": Case("", 200, "", "", "/predict", "OPTIONS", {}),
    "method of nobody": Case("", 405, "method_not_allowed", "", "/health/live", "BREW", {}),
    "method of nobody, no path": Case("", 404, "not_found", "", "/nothing?a=b", "M-1.X", {}),
    "method of WebDAV": Case("", 405, "method_not_allowed", "", "/predict", "PROPFIND", {}),
}  # fmt: skip
# Times, and what the machine does.
_DIFFERS = re.compile(r"^#|_seconds_(sum|bucket)|^system_|^throughput_|^process_|^target_info")

_TRACE = re.compile("00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]")


@dataclasses.dataclass
class Way:
    """One of the two ways to ask the same service."""

    telemetry: Telemetry
    client: JsonClient
    server: AsgiServer | None = None

    def ask(self, case: Case) -> Answer:
        """Status, headers that the application decides, and content."""
        headers = {"X-Request-ID": "t-1", "Authorization": f"Bearer {TOKEN}"} | case.headers
        body = case.body.encode() if isinstance(case.body, str) else case.body
        if self.server is not None:
            status, found, text = self.server.ask(case.method, case.path, body, headers)
        else:
            given = self.client.open(case.path, method=case.method, data=body, headers=headers)
            status, text = given.status_code, given.data
            found = {name.lower(): value for name, value in given.headers}
            given.close()
        for name in ("date", "connection", "last-modified"):
            found.pop(name, None)
        if "traceresponse" in found:
            assert _TRACE.fullmatch(found["traceresponse"])
            found["traceresponse"] = "a trace of its own"
        return status, found, _without_receipts(text, found)

    def counts(self) -> dict[str, str]:
        """Every series that does not depend on time."""
        assert self.telemetry.exposition is not None
        text = self.telemetry.exposition.render("")[0].decode()
        lines = (line for line in text.splitlines() if not _DIFFERS.search(line))
        return dict(line.rsplit(" ", 1) for line in lines)


def _without_receipts(text: bytes, headers: dict[str, str]) -> object:
    if headers.get("content-type") != "application/json" or not text:
        return text
    return json.loads(re.sub(rb'"receipt":"[^"]*"', b'"receipt":""', text))


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Way, Way]]:
    """Flask alone, and behind ASGI; each with telemetry of its own."""
    folder = tmp_path_factory.mktemp("ways")
    settings = read_settings(
        {"MAX_BATCH": "20", "MAX_SIMULATED": "500", "MAX_BODY_BYTES": "4096",
         "FAULT_HEADERS": "on", "PREDICT_TOKEN": TOKEN, "EXPLAIN_PERCENT": "0"}
    )  # fmt: skip
    flask, asgi = (start(folder / name, FACTS, 5000, SILENT) for name in ("flask", "asgi"))
    app = _create(asgi, settings)
    with asgi_server(create_asgi_app(app)) as server:
        yield Way(flask, make_client(_create(flask, settings))), Way(asgi, make_client(app), server)
    flask.close(1)
    asgi.close(1)


def _create(telemetry: Telemetry, settings: Settings) -> Any:
    return create_app(LocationRiskScorer(), telemetry, Receipts(["key"]), settings)


ALL = CASES | MORE


@pytest.mark.parametrize("case", ALL.values(), ids=ALL.keys())
def test_both_ways_are_one_service(
    ways: tuple[Way, Way], caplog: pytest.LogCaptureFixture, case: Case
) -> None:
    caplog.set_level(logging.INFO)
    answers, logged = [], []
    for way in ways:
        caplog.clear()
        answers.append(way.ask(case))
        logged.append([_describe(record) for record in caplog.records])
    assert answers[0] == answers[1]
    assert answers[0][0] == case.status
    assert logged[0] == logged[1]
    counts = [way.counts() for way in ways]
    assert {key: (counts[0][key], counts[1].get(key)) for key in counts[0]} == {
        key: (counts[0].get(key), counts[1][key]) for key in counts[1]
    }


def _describe(record: logging.LogRecord) -> dict[str, object]:
    names = ("request_id", "method", "endpoint", "status", "error_type")
    found = {name: getattr(record, name, None) for name in names}
    return {"level": record.levelname, "message": record.getMessage(), **found}
