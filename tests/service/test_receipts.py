"""Receipts carry what a later outcome needs, and only the service can make them."""

from pathlib import Path

import pytest
from itsdangerous import BadSignature

from service.receipts import Receipts, ShadowPrediction, find_keys

ISSUED = ("1-ab", "fraud", 0.25, "basic", "low")


def test_receipt_is_read_back() -> None:
    receipts = Receipts(["key"])
    receipt, _ = receipts.read(receipts.issue(*ISSUED))
    assert (receipt.model_version, receipt.class_name, receipt.probability) == (
        "1-ab",
        "fraud",
        0.25,
    )
    assert (receipt.user_type, receipt.value_band) == ("basic", "low")


def test_both_decisions_are_read_back() -> None:
    """And a receipt of one decision, as an earlier version wrote all of them, still is."""
    receipts, shadow = Receipts(["key"]), ShadowPrediction("2-cd", "legitimate", 0.125)
    assert receipts.read(receipts.issue(*ISSUED, shadow))[0].shadow == shadow
    assert receipts.read(receipts.issue(*ISSUED))[0].shadow is None


def test_every_receipt_is_its_own() -> None:
    receipts = Receipts(["key"])
    assert receipts.issue(*ISSUED) != receipts.issue(*ISSUED)


def test_receipt_survives_a_new_key() -> None:
    old = Receipts(["old"]).issue(*ISSUED)
    assert Receipts(["new", "old"]).read(old)[0].class_name == "fraud"


def test_newest_key_signs() -> None:
    issued = Receipts(["new", "old"]).issue(*ISSUED)
    assert Receipts(["new"]).read(issued)[0].class_name == "fraud"


def test_foreign_receipt_is_refused() -> None:
    with pytest.raises(BadSignature):
        Receipts(["ours"]).read(Receipts(["theirs"]).issue(*ISSUED))


def test_workers_share_the_key_that_the_first_one_made(tmp_path: Path) -> None:
    assert find_keys((), tmp_path) == find_keys((), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["receipt-key"]


def test_given_keys_are_used(tmp_path: Path) -> None:
    assert find_keys(("a", "b"), tmp_path) == ("a", "b")
