"""An OTLP target that throws everything away, in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Process

from tests.lab.http_server import QuietHandler, Server
from tests.lab.ports import free_port


class _Sink(QuietHandler):
    def do_POST(self) -> None:
        self.body()
        self.answer(200)


@contextmanager
def otlp_sink() -> Iterator[str]:
    """Gives its address."""
    port = free_port()
    process = Process(target=_serve, args=(port,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.join()


def _serve(port: int) -> None:
    Server(_Sink, port).serve_forever()
