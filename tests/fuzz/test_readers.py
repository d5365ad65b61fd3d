"""Readers of bodies and receipts refuse what they cannot read: no 5xx, no hang."""

from __future__ import annotations

import pytest

from tests.fuzz.mutation import Fuzzer
from tests.fuzz.targets import MODULES, describe_targets
from tests.json_client import JsonClient

CASES = 1500


@pytest.mark.parametrize("name", ["prediction", "label", "receipt", "signed receipt"])
def test_reader_refuses_what_it_cannot_read(client: JsonClient, name: str) -> None:
    target = describe_targets(client)[name]
    fuzzer = Fuzzer(target.send, target.seeds, MODULES)
    fuzzer.run(CASES)
    assert fuzzer.cases == CASES + len(target.seeds)


def test_fuzzer_finds_what_only_a_path_of_several_steps_reaches() -> None:
    """Each step is found because the step before it was kept."""

    def brittle(text: bytes) -> None:
        if text[:1] != b"{":
            return
        if text[1:2] != b"[":
            return
        if text[2:3] == b"]":
            raise KeyError

    fuzzer = Fuzzer(brittle, [b"aaaa"], [__name__])
    with pytest.raises(AssertionError, match=r"^KeyError for b'\{\[\]"):
        fuzzer.run(200_000)
