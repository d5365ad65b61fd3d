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
# Deleted by one label, so that none waits for the clearing of a long time; the next goes on.
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
    """A file that all workers of one machine share, of at most `most_bytes`.

    `folder_id` names the folder of the counters where it is not the file's own: what is pending
    belongs to them, and a new container has the old one's names with new counters.
    """

    def __init__(self, path: Path, most_bytes: int = 2**40, folder_id: str = "") -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._folder = f"{folder_id}:" if folder_id else ""
        self._local = threading.local()
        self._pruned_at = 0.0

    def use(self, receipt: str, expires: float, slot: str, pending: PendingOutcome) -> bool:
        place = self._folder + slot
        try:
            with self._connection() as connection:
                # By itself: a file that is full must be able to forget.
                self._prune(connection)
                connection.execute("BEGIN IMMEDIATE")
                new = connection.execute(
                    "INSERT OR IGNORE INTO used VALUES (?, ?)", (receipt, expires)
                ).rowcount
                if new:
                    # The outcome before this one was counted, or there would be no new number.
                    connection.execute(
                        "DELETE FROM notes WHERE slot = ? AND number < ?", (place, pending.number)
                    )
                    connection.execute(
                        "INSERT INTO notes VALUES (?, ?, ?)",
                        (place, pending.number, pending.content),
                    )
        except sqlite3.Error as error:
            raise UsedReceiptsError(f"{self._path.name}: {error}") from error
        return bool(new)

    def find_pending(self, slot: str, last: int) -> list[PendingOutcome]:
        place = self._folder + slot
        deleted = "DELETE FROM notes WHERE slot = ? AND number <= ?"
        try:
            with self._connection() as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(deleted, (place, last))
                found = connection.execute(
                    "SELECT number, content FROM notes WHERE slot = ? ORDER BY number", (place,)
                ).fetchall()
        except sqlite3.Error as error:
            raise UsedReceiptsError(f"{self._path.name}: {error}") from error
        return [PendingOutcome(number, content) for number, content in found]

    def _prune(self, connection: sqlite3.Connection) -> None:
        now = time.time()
        if now - self._pruned_at > _PRUNE_SECONDS:
            deleted = connection.execute(
                "DELETE FROM used WHERE receipt IN"
                " (SELECT receipt FROM used WHERE expires < ? LIMIT ?)",
                (now, _MOST_PRUNED),
            ).rowcount
            if deleted < _MOST_PRUNED:
                self._pruned_at = now

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
                [size] = connection.execute("PRAGMA page_size").fetchone()
                connection.execute(f"PRAGMA max_page_count = {self._most_bytes // size}")
            except sqlite3.Error:
                connection.close()
                raise
            self._local.connection = connection
        kept: sqlite3.Connection = self._local.connection
        return kept
