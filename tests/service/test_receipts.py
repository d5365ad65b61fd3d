"""Receipts carry what a later outcome needs, and only the service can make them."""

from __future__ import annotations

import hmac
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from itsdangerous import BadSignature, URLSafeTimedSerializer

from service.receipt_signing import KeyedHmacSha1
from service.receipts import Receipts, ShadowPrediction, find_keys
from telemetry.prediction_counts import ScoredTransaction

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


# The salt of every version so far.
SALT = "prediction-receipt-1"
LONG = ("1-" + "ab" * 60, "fraud", 0.25, "basic", "low")


@pytest.mark.parametrize("signing_keys", [["old"], ["older", "old"]])
@pytest.mark.parametrize("content", [ISSUED, LONG], ids=["plain", "compressed"])
def test_receipt_of_an_earlier_version_stays_valid(signing_keys: Any, content: Any) -> None:
    """It signed with itsdangerous' own serializer, which compresses what gets shorter by it."""
    earlier = URLSafeTimedSerializer(signing_keys, salt=SALT).dumps(["id", *content])
    assert earlier.startswith(".") == (content == LONG)
    receipt, _ = Receipts(["new", "old"]).read(earlier)
    assert (receipt.id, receipt.model_version, receipt.probability) == ("id", content[0], 0.25)


@pytest.mark.parametrize("content", [ISSUED, LONG], ids=["short", "long"])
def test_receipt_is_read_by_an_earlier_version(content: Any) -> None:
    """While replicas are replaced one by one, labels meet both versions."""
    issued = Receipts(["new", "old"]).issue(*content)
    assert URLSafeTimedSerializer(["old", "new"], salt=SALT).loads(issued)[1:] == list(content)


@pytest.mark.parametrize(
    "content",
    [
        ["a" * 16, "1-ab", "fraudulent", 0.25, "basic", "low"],
        ["a" * 16, "1-ab", "fraud", 0.25, "gold", "low"],
        ["a" * 16, "1-ab", "fraud", 0.25, "basic", "middle"],
        ["a" * 16, "1-ab", "fraud", 2.5, "basic", "low"],
        ["a" * 16, "1-ab", "fraud", "0.25", "basic", "low"],
        [7, "1-ab", "fraud", 0.25, "basic", "low"],
        ["é" * 16, "1-ab", "fraud", 0.25, "basic", "low"],
        ["a" * 16, None, "fraud", 0.25, "basic", "low"],
        ["a" * 16, "1-ab", "fraud", 0.25, "basic", "low", "2-cd", "other", 0.5],
        ["a" * 16, "1-ab", "fraud"],
        {"id": "a" * 16},
    ],
)
def test_signed_receipt_in_other_words_is_refused(content: Any) -> None:
    """One that another version issued with the same key would be counted under unknown labels."""
    signed = URLSafeTimedSerializer("key", salt="prediction-receipt-1").dumps(content)
    assert isinstance(signed, str)
    with pytest.raises((ValueError, TypeError)):
        Receipts(["key"]).read(signed)


def test_receipts_of_a_batch_are_those_of_each_alone() -> None:
    receipts = Receipts(["key"])
    shadow = ShadowPrediction("2-cd", "legitimate", 0.125)
    scored = [
        ScoredTransaction([1.0], "fraud", "basic", "high", 0.25 + n / 10, 1.0, "low")
        for n in range(3)
    ]
    issued = receipts.issue_all("1-ab", scored, [None, shadow, None])
    alone = [
        receipts.issue("1-ab", one.class_name, one.probability, one.user_type, "low", other)
        for one, other in zip(scored, [None, shadow, None], strict=True)
    ]
    read = [receipts.read(text)[0] for text in issued]
    assert [replace(one, id="") for one in read] == [
        replace(receipts.read(text)[0], id="") for text in alone
    ]
    assert len({one.id for one in read}) == 3


@pytest.mark.parametrize("key", [b"", b"k", b"k" * 20, b"k" * 64, b"k" * 65, bytes(range(200))])
@pytest.mark.parametrize("value", [b"", b"v", b"v" * 500])
def test_signature_is_hmac_sha1(key: bytes, value: bytes) -> None:
    assert KeyedHmacSha1(key).digest(value) == hmac.digest(key, value, "sha1")
