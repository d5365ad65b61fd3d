"""Used receipts in a Redis that all replicas share.

A command that timed out may have run, or may run later: Redis reads what it was sent even when the
sender has hung up. So each worker takes its slot over by a token of its own (a fencing token) and
every command names it: after a time-out the worker takes a new one, finds what did run, and what
comes later is refused.
"""

from __future__ import annotations

import secrets
import time
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from service.used_receipts import STORE_SECONDS, LostSlotError, PendingOutcome, UsedReceiptsError

# A host that has been silent for so long does not come back: what it left is forgotten.
PENDING_DAYS = 30
_PENDING_SECONDS = PENDING_DAYS * 86_400

# KEYS: receipt, pending outcomes and token of the slot, the receipt's name in an earlier version.
# ARGV: seconds to keep, number, content, token, seconds to keep what is pending. Runs as a whole or
# not at all, so a receipt is never used without its outcome.
_USE = """
if redis.call('GET', KEYS[3]) ~= ARGV[4] then return -1 end
if redis.call('EXISTS', KEYS[4]) == 1 then return 0 end
if not redis.call('SET', KEYS[1], ARGV[2], 'NX', 'EX', ARGV[1]) then return 0 end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[2] .. ' ' .. ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('EXPIRE', KEYS[3], ARGV[5])
return 1
"""
# KEYS: pending outcomes and token of the slot. ARGV: last number, token, seconds to keep.
_TAKE_OVER = """
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
return redis.call('ZRANGE', KEYS[1], 0, -1)
"""


class RedisUsedReceipts:
    """It forgets a receipt when the receipt expires; all keys begin with the service's name.

    `folder_id` names the folder of the counters: what is pending belongs to them alone, also when
    another container has the same host name.
    """

    def __init__(self, url: str, service: str, folder_id: str) -> None:
        # A command that is repeated by the client finds its own receipt used: no retries here.
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=STORE_SECONDS,
            socket_connect_timeout=STORE_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._service = service
        self._folder_id = folder_id
        self._use = self._client.register_script(_USE)
        self._take_over = self._client.register_script(_TAKE_OVER)
        self._tokens: dict[str, str] = {}

    def use(self, receipt: str, expires: float, slot: str, pending: PendingOutcome) -> bool:
        keep = max(1, int(expires - time.time()))
        keys = [
            f"{self._service}:receipt:{receipt}",
            *self._slot_keys(slot),
            f"receipt:{receipt}",
        ]
        token = self._tokens.get(slot, "")
        values: list[str | int] = [keep, pending.number, pending.content, token, _PENDING_SECONDS]
        try:
            result: Any = self._use(keys, values)
        except redis.RedisError as error:
            raise _explain(error) from error
        if result == -1:
            raise LostSlotError(f"Redis: {slot} was taken over")
        return bool(result)

    def find_pending(self, slot: str, last: int) -> list[PendingOutcome]:
        token = secrets.token_hex(16)
        try:
            found: Any = self._take_over(self._slot_keys(slot), [last, token, _PENDING_SECONDS])
        except redis.RedisError as error:
            raise _explain(error) from error
        self._tokens[slot] = token
        pairs = (member.decode().split(" ", 1) for member in found)
        return [PendingOutcome(int(number), content) for number, content in pairs]

    def _slot_keys(self, slot: str) -> list[str]:
        place = f"{self._folder_id}:{slot}"
        return [f"{self._service}:pending:{place}", f"{self._service}:token:{place}"]


def _explain(error: redis.RedisError) -> UsedReceiptsError:
    """What is logged: the message of a failed connection holds the address, those of Redis itself
    (such as being out of memory) do not."""
    gone = isinstance(error, redis.ConnectionError | redis.TimeoutError)
    return UsedReceiptsError(f"Redis, see REDIS_URL: {type(error).__name__ if gone else error}")
