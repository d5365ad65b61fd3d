"""Which receipts have been used (deduplication): each outcome is counted exactly once.

A receipt is first stored as used, in one transaction with the outcome that is to be counted (a
write-ahead log); then it is counted in the worker's slot, whose last number moves with the count.
What a killed worker stored and did not count, the next holder of its slot finds by that number and
counts. SQLite serves all workers of one machine; Redis (REDIS_URL) all replicas.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import redis

_PRUNE_SECONDS = 600.0
_BUSY_SECONDS = 5.0


# Pending outcomes stand in the table `notes`, the name of which an earlier version gave it.
_SCHEMA = (
    "PRAGMA synchronous = NORMAL",
    "PRAGMA journal_mode = WAL",
    "CREATE TABLE IF NOT EXISTS used (receipt TEXT PRIMARY KEY, expires REAL NOT NULL)"
    " WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS notes (slot TEXT NOT NULL, number INTEGER NOT NULL,"
    " content TEXT NOT NULL, PRIMARY KEY (slot, number)) WITHOUT ROWID",
)


class UsedReceiptsError(Exception):
    """The store cannot be reached: nothing was written, and nothing may be counted."""


@dataclass(frozen=True)
class PendingOutcome:
    """What is to be counted, by the slot's own number; `content` is the outcome as JSON."""

    number: int
    content: str


class UsedReceipts(Protocol):
    """Every call may raise UsedReceiptsError."""

    def use(self, receipt: str, expires: float, slot: str, pending: PendingOutcome) -> bool:
        """Store the receipt as used, with its pending outcome; False if it was used before."""

    def find_pending(self, slot: str, last: int) -> list[PendingOutcome]:
        """The slot's outcomes with a number above `last`, in order; the others are deleted."""


class SqliteUsedReceipts:
    """A file that all workers of one machine share."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._pruned_at = 0.0

    def use(self, receipt: str, expires: float, slot: str, pending: PendingOutcome) -> bool:
        try:
            with self._connection() as connection:
                connection.execute("BEGIN IMMEDIATE")
                new = connection.execute(
                    "INSERT OR IGNORE INTO used VALUES (?, ?)", (receipt, expires)
                ).rowcount
                if new:
                    # The outcome before this one was counted, or there would be no new number.
                    connection.execute(
                        "DELETE FROM notes WHERE slot = ? AND number < ?", (slot, pending.number)
                    )
                    connection.execute(
                        "INSERT INTO notes VALUES (?, ?, ?)",
                        (slot, pending.number, pending.content),
                    )
                self._prune(connection)
        except sqlite3.Error as error:
            raise UsedReceiptsError(f"{self._path.name}: {error}") from error
        return bool(new)

    def find_pending(self, slot: str, last: int) -> list[PendingOutcome]:
        try:
            with self._connection() as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("DELETE FROM notes WHERE slot = ? AND number <= ?", (slot, last))
                found = connection.execute(
                    "SELECT number, content FROM notes WHERE slot = ? ORDER BY number", (slot,)
                ).fetchall()
        except sqlite3.Error as error:
            raise UsedReceiptsError(f"{self._path.name}: {error}") from error
        return [PendingOutcome(number, content) for number, content in found]

    def _prune(self, connection: sqlite3.Connection) -> None:
        now = time.time()
        if now - self._pruned_at > _PRUNE_SECONDS:
            self._pruned_at = now
            connection.execute("DELETE FROM used WHERE expires < ?", (now,))

    def _connection(self) -> sqlite3.Connection:
        """This thread's connection; as a context it commits, or rolls back after an error.

        The file is made when it is first needed: a full disk must not keep the service from
        scoring.
        """
        if not hasattr(self._local, "connection"):
            connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
            try:
                for statement in _SCHEMA:
                    connection.execute(statement)
            except sqlite3.Error:
                connection.close()
                raise
            self._local.connection = connection
        kept: sqlite3.Connection = self._local.connection
        return kept


# KEYS: receipt, pending outcomes of the slot. ARGV: seconds to keep, number, content. Runs as a
# whole or not at all, so a receipt is never used without its outcome.
_USE = """
if not redis.call('SET', KEYS[1], ARGV[2], 'NX', 'EX', ARGV[1]) then return 0 end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[2] .. ' ' .. ARGV[3])
return 1
"""


class RedisUsedReceipts:
    """A Redis that all replicas share; it forgets a receipt when the receipt expires."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(
            url, socket_timeout=_BUSY_SECONDS, socket_connect_timeout=_BUSY_SECONDS
        )
        self._use = self._client.register_script(_USE)

    def use(self, receipt: str, expires: float, slot: str, pending: PendingOutcome) -> bool:
        keep = max(1, int(expires - time.time()))
        keys = [f"receipt:{receipt}", f"notes:{slot}"]
        try:
            return bool(self._use(keys, [keep, pending.number, pending.content]))
        except redis.RedisError as error:
            raise UsedReceiptsError(f"Redis: {error}") from error

    def find_pending(self, slot: str, last: int) -> list[PendingOutcome]:
        key = f"notes:{slot}"
        try:
            self._client.zremrangebyscore(key, "-inf", last)
            found: Any = self._client.zrange(key, 0, -1)
        except redis.RedisError as error:
            raise UsedReceiptsError(f"Redis: {error}") from error
        pairs = (member.decode().split(" ", 1) for member in found)
        return [PendingOutcome(int(number), content) for number, content in pairs]


def open_used_receipts(redis_url: str, folder: Path) -> UsedReceipts:
    """Redis where its address is given, else a file in `folder`."""
    if redis_url:
        return RedisUsedReceipts(redis_url)
    return SqliteUsedReceipts(folder / "feedback.sqlite")
