"""The page in Prometheus' place while it is built."""

from __future__ import annotations

import requests

from stack import ports
from stack.native.waiting_page import waiting_page
from tests.lab.ports import free_port


def test_it_says_how_far_everything_is_and_leaves_the_port() -> None:
    """What is shown is text: a line with markup in it is no markup. No client takes it for data."""
    port = free_port()
    lines = ["building prometheus: 3/900 packages compiled, 8 s", "<b>environment</b>"]
    with waiting_page(port, "http://localhost:5000", lambda: True, lambda: lines):
        for path in ("/user/", "/", "/api/v1/query?query=up"):
            answer = requests.get(f"http://127.0.0.1:{port}{path}", timeout=30)
            assert answer.status_code == 503
            assert "<li>building prometheus: 3/900 packages compiled, 8 s</li>" in answer.text
            assert "<li>&lt;b&gt;environment&lt;/b&gt;</li>" in answer.text
            assert '<a href="http://localhost:5000">' in answer.text
        lines.clear()
        assert "<ul></ul>" in requests.get(f"http://127.0.0.1:{port}/", timeout=30).text
    assert not ports.is_busy(port)


def test_it_leads_to_the_service_only_when_that_answers() -> None:
    port, there = free_port(), [False]
    with waiting_page(port, "http://localhost:5000", lambda: there[0], list):
        url = f"http://127.0.0.1:{port}/"
        early = requests.get(url, timeout=30).text
        assert "The service comes first" in early and "http://localhost:5000" not in early
        there[0] = True
        assert '<a href="http://localhost:5000">' in requests.get(url, timeout=30).text
