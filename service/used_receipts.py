"""Which receipts have been used (deduplication): each outcome is counted exactly once.

A receipt is first stored as used, in one transaction with the outcome that is to be counted (a
write-ahead log); then it is counted in the worker's slot, whose last number moves with the count.
What a killed worker stored and did not count, the next holder of its slot finds by that number and
counts; so does a worker whose call was carried out after it timed out. SQLite serves all workers of
one machine; Redis (REDIS_URL) all replicas.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_PRUNE_SECONDS = 600.0
# The longest wait for a store, for each of its calls.
STORE_SECONDS = 2.0


# Pending outcomes stand in the table `notes`, the name of which an earlier version gave it.
_SCHEMA = (
    "PRAGMA synchronous = NORMAL",
    "PRAGMA journal_mode = WAL",
    "CREATE TABLE IF NOT EXISTS used (receipt TEXT PRIMARY KEY, expires REAL NOT NULL)"
    " WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS notes (slot TEXT NOT NULL, number INTEGER NOT NULL,"
    " content TEXT NOT NULL, PRIMARY KEY (slot, number)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS used_by_expiry ON used (expires)",
)
# Deleted at once, so that no label waits for the clearing of a long time.
_MOST_PRUNED = 1000


class UsedReceiptsError(Exception):
    """The store did not answer: nothing may be counted. `find_pending` tells what it stored."""


class LostSlotError(UsedReceiptsError):
    """Nothing was written: `find_pending` must take the slot over first."""


@dataclass(frozen=True)
class PendingOutcome:
    """What is to be counted, by the slot's own number; `content` is the outcome as JSON."""

    number: int
    content: str


class UsedReceipts(Protocol):
    """Every call may raise UsedReceiptsError; after one that did, `find_pending` comes first."""

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
            connection.execute(
                "DELETE FROM used WHERE receipt IN"
                " (SELECT receipt FROM used WHERE expires < ? LIMIT ?)",
                (now, _MOST_PRUNED),
            )

    def _connection(self) -> sqlite3.Connection:
        """This thread's connection; as a context it commits, or rolls back after an error.

        The file is made when it is first needed: a full disk must not keep the service from
        scoring.
        """
        if not hasattr(self._local, "connection"):
            connection = sqlite3.connect(self._path, timeout=STORE_SECONDS, isolation_level=None)
            try:
                for statement in _SCHEMA:
                    connection.execute(statement)
            except sqlite3.Error:
                connection.close()
                raise
            self._local.connection = connection
        kept: sqlite3.Connection = self._local.connection
        return kept
