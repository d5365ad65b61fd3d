"""Signing a thousand receipts for a batch: itsdangerous without what it does anew for each text.

What is written differs in nothing but that it is never compressed, and both ways are read: its own
serializer reads these texts, and this one all that it has ever signed with the same keys and salt.
"""

from __future__ import annotations

import hmac
from typing import Any

import msgspec
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode
from itsdangerous.signer import SigningAlgorithm


class _HmacSha1(SigningAlgorithm):
    """What itsdangerous signs with unless told otherwise, in one call of OpenSSL."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.digest(key, value, "sha1")


class _Signer(TimestampSigner):
    """Derives the key of each secret once."""

    def __init__(self, keys: list[bytes], salt: bytes) -> None:
        super().__init__(keys, salt=salt, algorithm=_HmacSha1())
        derive = super().derive_key
        self._derived = {secret: derive(secret) for secret in self.secret_keys}

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        secret = self.secret_keys[-1] if secret_key is None else secret_key
        return self._derived[secret if isinstance(secret, bytes) else secret.encode()]


class ReceiptSerializer(URLSafeTimedSerializer):
    """One signer for all texts; `keys` from the oldest to the one that signs."""

    def __init__(self, keys: list[str], salt: str) -> None:
        super().__init__(keys, salt=salt)
        self._signer = _Signer(self.secret_keys, salt.encode())

    def make_signer(self, salt: str | bytes | None = None) -> _Signer:
        return self._signer

    def dump_payload(self, obj: Any) -> bytes:
        return base64_encode(msgspec.json.encode(obj))
