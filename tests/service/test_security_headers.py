"""What browsers are told: on every answer, and without inline scripts that are not ours."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from tests.json_client import JsonClient

EVERYWHERE = [
    ("GET", "/", 200),
    ("GET", "/docs/", 200),
    ("GET", "/docs/swagger-ui.css", 200),
    ("GET", "/docs/oauth2-redirect.html", 200),
    ("GET", "/docs/missing.js", 404),
    ("GET", "/openapi.json", 200),
    ("GET", "/model_card", 404),
    ("GET", "/model_card/missing.png", 404),
    ("GET", "/model_card/..%2fcard.json", 404),
    ("GET", "/favicon.ico", 200),
    ("GET", "/health", 200),
    ("GET", "/metrics", 200),
    ("POST", "/predict", 400),
    ("POST", "/feedback", 400),
    ("GET", "/predict", 405),
    ("GET", "/nothing/here", 404),
]


@pytest.mark.parametrize(("method", "path", "status"), EVERYWHERE)
def test_every_answer_is_safe_in_a_browser(
    client: JsonClient, method: str, path: str, status: int
) -> None:
    with client.open(path, method=method, json={}) as answer:
        assert answer.status_code == status
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy


def test_failure_is_safe_too(client: JsonClient, scorer: object, valid: dict[str, object]) -> None:
    scorer.fault = RuntimeError("broken")  # type: ignore[attr-defined]
    answer = client.post("/predict", json=valid)
    assert answer.status_code == 500
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/docs/"])
def test_only_the_pages_own_scripts_run(client: JsonClient, path: str) -> None:
    """Each inline script is allowed by its hash, and an injected one by nothing."""
    page = client.get(path, headers={"Host": "evil.example"})
    policy = dict(
        part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; ")
    )
    assert "'unsafe-inline'" not in policy["script-src"]
    inline = re.findall(r"<script>(.*?)</script>", page.text, flags=re.DOTALL)
    assert inline
    for script in inline:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy["script-src"]
    assert "evil.example" not in page.text


def test_start_page_has_no_inline_style_but_its_own(client: JsonClient) -> None:
    """No `style` or `on…` attribute: neither would work under the policy."""
    page = client.get("/")
    assert "'unsafe-inline'" not in page.headers["Content-Security-Policy"]
    assert not re.search(r"<[^>]*\s(style|on\w+)=", page.text)
