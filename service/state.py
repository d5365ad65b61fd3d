"""The folders that the workers share: counters in one, receipts' key and used receipts beside them
or in another that outlives the counters."""

from __future__ import annotations

import fcntl
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.setting_fields import SHORTEST_SECRET
from service.settings import SettingError

_SECRET_BYTES = 32


def prepare_state_dir(given: Path | None, setting: str = "STATE_DIR") -> Path:
    """The folder, made where it is missing; a new temporary one where none is given.

    Raises SettingError, which names the `setting`, unless files can be made in it.
    """
    try:
        folder = given or Path(tempfile.mkdtemp(prefix="fraud-handler-"))
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        shown = error.filename if given is None else given
        raise SettingError(
            f"{setting} must be a folder that can be written, got {str(shown)!r}: {error.strerror}"
        ) from error


def read_or_make_secret(path: Path) -> str:
    """The random text in this file, made once and shared by all workers; only its owner reads it.

    What a crash left empty or cut off is made anew. Raises SettingError where it cannot be made.
    """
    try:
        # A successor on a full disk must be able to start: a whole one is only read.
        return _read_whole(path) or _make_secret(path)
    except OSError as error:
        raise SettingError(
            "STATE_DIR and RECEIPT_DIR must be folders that can be written, got"
            f" {str(path.parent)!r}: {path.name}: {error.strerror}"
        ) from error


def _read_whole(path: Path) -> str:
    text = path.read_text(errors="replace") if path.exists() else ""
    return text if len(text.strip()) >= SHORTEST_SECRET else ""


def _make_secret(path: Path) -> str:
    with _locked(path.parent):
        made = _read_whole(path)
        if made:
            return made
        mine = path.with_name(f"{path.name}-new")
        try:
            mine.touch(mode=0o600)
            with mine.open("w") as file:
                file.write(secrets.token_hex(_SECRET_BYTES))
                file.flush()
                # On disk before it has its name, or a crash leaves an empty file of that name.
                os.fsync(file.fileno())
            mine.replace(path)
        finally:
            mine.unlink(missing_ok=True)
        return _read_whole(path)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Held by one process at a time; the folder itself is the lock, so no file is left."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
