"""The OTLP receiver with OTLP_TOKEN: who has none of the tokens sends nothing."""

from __future__ import annotations

import pytest
import requests

from tests.lab.fixtures import MakeCollector

pytestmark = pytest.mark.stack

NEW, OLD = "a-new-token-of-20-chars", "an-old-token-of-20-chars"


@pytest.mark.parametrize("signal", ["metrics", "traces"])
def test_receiver_asks_for_one_of_its_tokens(make_collector: MakeCollector, signal: str) -> None:
    running = make_collector(OTLP_TOKEN=f"{NEW}, {OLD}").start()

    def send(**headers: str) -> int:
        url = f"{running.endpoint}/v1/{signal}"
        headers |= {"Content-Type": "application/json"}
        return requests.post(url, "{}", headers=headers, timeout=10).status_code

    assert send() == 401
    assert send(Authorization="Bearer wrong") == 401
    assert [send(Authorization=f"Bearer {token}") for token in (NEW, OLD)] == [200, 200]
    assert NEW not in running.output() and OLD not in running.output()
