"""Signing a thousand receipts for a batch: itsdangerous without what it does anew for each text.

What is written differs in nothing but that it is never compressed, and both ways are read: its own
serializer reads these texts, and this one all that it has ever signed with the same keys and salt.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

import msgspec
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import int_to_bytes
from itsdangerous.signer import SigningAlgorithm

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_BLOCK = hashlib.sha1(usedforsecurity=False).block_size
_INNER = bytes(number ^ 0x36 for number in range(256))
_OUTER = bytes(number ^ 0x5C for number in range(256))


class _HmacSha1(SigningAlgorithm):
    """What itsdangerous signs with unless told otherwise, in one call of OpenSSL."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.digest(key, value, "sha1")


class KeyedHmacSha1:
    """HMAC-SHA1 of one key, whose two blocks are hashed once (RFC 2104, section 4)."""

    def __init__(self, key: bytes) -> None:
        if len(key) > _BLOCK:
            key = hashlib.sha1(key).digest()
        padded = key.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha1(padded.translate(_INNER))
        self._outer = hashlib.sha1(padded.translate(_OUTER))

    def digest(self, value: bytes) -> bytes:
        """The 20 bytes that only the key's owner can make of `value`."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(value)
        outer.update(inner.digest())
        return outer.digest()


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
        self._hmac = KeyedHmacSha1(self._signer.derive_key())
        self._encode = msgspec.json.Encoder().encode

    def make_signer(self, salt: str | bytes | None = None) -> _Signer:
        return self._signer

    def dump_all(self, contents: Iterable[Any]) -> list[str]:
        """Each content as `dumps` would write it now, uncompressed."""
        now = _encode_base64(int_to_bytes(self._signer.get_timestamp()))
        return [self._dump(content, now) for content in contents]

    def _dump(self, content: Any, now: bytes) -> str:
        signed = b"%b.%b" % (_encode_base64(self._encode(content)), now)
        return (b"%b.%b" % (signed, _encode_base64(self._hmac.digest(signed)))).decode()


def _encode_base64(content: bytes) -> bytes:
    """For URLs, without padding."""
    return binascii.b2a_base64(content, newline=False).translate(_URL_SAFE, b"=")
