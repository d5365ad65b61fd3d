"""The slot of a version: a closed set, kept for ever, different for neighbours."""

from __future__ import annotations

import pytest

from model.serving.version_slots import VERSION_SLOTS, find_version_slot


@pytest.mark.parametrize(
    ("version", "slot"),
    [("1-ab12cd34", "1"), ("8-ab12cd34", "0"), ("9-00000000", "1"), ("test", "0"), ("", "0")],
)
def test_slot_is_the_number_modulo_eight(version: str, slot: str) -> None:
    assert find_version_slot(version) == slot


def test_any_eight_versions_in_a_row_are_told_apart() -> None:
    for first in range(1, 40):
        versions = [f"{number}-ab12cd34" for number in range(first, first + 8)]
        assert sorted(map(find_version_slot, versions)) == sorted(VERSION_SLOTS)
