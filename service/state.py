"""The folder that the workers share: counters, the key of the receipts, used receipts."""

from __future__ import annotations

import tempfile
from pathlib import Path

from service.settings import SettingError


def prepare_state_dir(given: Path | None) -> Path:
    """The folder, made where it is missing; a new temporary one where none is given.

    Raises SettingError unless files can be made in it.
    """
    try:
        folder = given or Path(tempfile.mkdtemp(prefix="fraud-handler-"))
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        shown = error.filename if given is None else given
        raise SettingError(
            f"STATE_DIR must be a folder that can be written, got {str(shown)!r}: {error.strerror}"
        ) from error
