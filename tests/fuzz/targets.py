"""What is fuzzed: the readers of bodies and receipts, by the whole service in process.

Whatever is sent, the answer is a refusal of 4xx or a success; 503 of a receipt of the future too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
from itsdangerous import TimestampSigner
from itsdangerous.encoding import base64_encode

from service.receipts import Receipts
from tests.json_client import JsonClient
from tests.lab.traffic import TRANSACTION

MODULES = ("service.", "model.serving.features", "itsdangerous.")
KEY = "key"
"""Of the service that is fuzzed: half of the receipts are signed with it."""


@dataclass(frozen=True)
class Target:
    """`send` one input; `seeds` to begin with."""

    send: Callable[[bytes], object]
    seeds: Sequence[bytes]


def describe_targets(client: JsonClient) -> dict[str, Target]:
    """Each by its name."""
    signer = TimestampSigner(KEY, salt="prediction-receipt-1")
    good = Receipts([KEY]).issue("1-abcd1234", "fraud", 0.25, "basic", "low")

    def send(path: str, body: bytes) -> None:
        answer = client.post(path, data=body, content_type="application/json")
        status, error = answer.status_code, answer.json.get("error", {})
        future = error.get("type") == "future_receipt"
        assert status < 500 or future, f"{status} {error}"
        assert status == 200 or error, f"{status} without an error"

    def send_receipt(receipt: bytes) -> None:
        text = receipt.decode("latin-1")
        send("/feedback", msgspec.json.encode({"receipt": text, "label": "fraud"}))

    transaction = msgspec.json.encode(TRANSACTION)
    label = msgspec.json.encode({"receipt": good, "label": "fraud"})
    contents = [["a" * 16, "1-abcd1234", "fraud", 0.25, "basic", "low"], [1, None, {}, [], "", 2.0]]
    return {
        "prediction": Target(
            lambda body: send("/predict", body),
            [transaction, b'{"transactions":[%s]}' % transaction],
        ),
        "label": Target(
            lambda body: send("/feedback", body), [label, b'{"feedback":[%s]}' % label]
        ),
        "receipt": Target(send_receipt, [good.encode()]),
        "signed receipt": Target(
            lambda content: send_receipt(signer.sign(base64_encode(content))),
            [msgspec.json.encode(content) for content in contents],
        ),
    }
