"""Bodies that are malformed, compressed or not in UTF-8: named as such, never a 500."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import pytest

from tests.conftest import Counted
from tests.json_client import JsonClient


class BrokenChunks:
    """A body whose reading fails with an error of the server's own, after `whole` bytes."""

    def __init__(self, whole: int) -> None:
        self._left = whole

    def read(self, size: int) -> bytes:
        if self._left <= 0:
            raise RuntimeError("invalid chunk size")
        size = min(size, self._left)
        self._left -= size
        return b" " * size


@pytest.mark.parametrize(("whole", "status"), [(0, 400), (5000, 413)], ids=["small", "too large"])
def test_malformed_chunks_are_the_callers_fault(
    client: JsonClient, counted: Counted, whole: int, status: int
) -> None:
    environ = {"wsgi.input": BrokenChunks(whole), "wsgi.input_terminated": True}
    answer = client.post(
        "/predict", headers={"Content-Type": "application/json"}, environ_overrides=environ
    )
    assert answer.status_code == status
    assert counted("errors_total", type="internal") == 0


FOREIGN_BODIES: dict[str, tuple[Callable[[bytes], bytes], int, str]] = {
    "gzip without its header": (gzip.compress, 415, "this is gzip"),
    "UTF-16": (lambda body: body.decode().encode("utf-16"), 400, "looks like UTF-16"),
    "UTF-16 without a mark": (lambda body: body.decode().encode("utf-16-le"), 400, "UTF-16"),
    "nothing": (lambda body: b"", 400, "it is empty"),
    "blanks": (lambda body: b" \n", 400, "it is empty"),
}


@pytest.mark.parametrize(("write", "status", "says"), FOREIGN_BODIES.values(), ids=FOREIGN_BODIES)
def test_body_in_another_form_is_named(
    client: JsonClient,
    valid: dict[str, object],
    write: Callable[[bytes], bytes],
    status: int,
    says: str,
) -> None:
    body = write(json.dumps(valid).encode())
    answer = client.post("/predict", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert says in answer.json["error"]["message"]
