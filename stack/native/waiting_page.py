"""In the place of Prometheus while it is built: how far everything is."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

AGAIN_SECONDS = 5
_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{again}">
<title>Dashboards: soon</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: auto; padding: 2rem 1rem; }}
li {{ font-variant-numeric: tabular-nums; }}
</style>
<h1>The dashboards come here</h1>
<p>What they need is being made, once: later starts take seconds. This page becomes the dashboards
by itself.</p>
<ul>{tasks}</ul>
<p>{service}</p>
</html>
"""


@contextmanager
def waiting_page(
    port: int, handler: str, answers: Callable[[], bool], lines: Callable[[], list[str]]
) -> Iterator[None]:
    """Serves the page on loopback while the block lasts; the port is free afterwards.

    It leads to the handler when that answers.
    Every answer has status 503: no client takes it for a Prometheus.
    """

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = _render(handler if answers() else "", lines()).encode()
            self.send_response(503)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Retry-After", str(AGAIN_SECONDS))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """The terminal is for the progress."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Page)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _render(handler: str, lines: list[str]) -> str:
    tasks = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    service = "The service comes first: when its environment and its model are made."
    if handler:
        address = html.escape(handler)
        service = f'The service is there already: <a href="{address}">{address}</a>'
    return _PAGE.format(again=AGAIN_SECONDS, tasks=tasks, service=service)
