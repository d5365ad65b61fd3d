"""A secret in the state folder is made once, whole, and the same for all workers."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.settings import SettingError
from service.state import read_or_make_secret


def test_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "key"
    made = read_or_make_secret(path)
    assert len(made) == 64
    assert read_or_make_secret(path) == made
    assert path.stat().st_mode & 0o077 == 0
    assert [one.name for one in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("left", ["", "\n", "abc", "\0" * 8])
def test_what_a_crash_left_is_made_anew(tmp_path: Path, left: str) -> None:
    """With an empty key anybody could sign receipts."""
    path = tmp_path / "key"
    path.write_text(left)
    made = read_or_make_secret(path)
    assert (len(made), read_or_make_secret(path)) == (64, made)


def test_workers_that_find_an_empty_file_agree_on_one_key(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.touch()
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(read_or_make_secret, [path] * 64))) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(
        SettingError, match="STATE_DIR and RECEIPT_DIR must be folders that can be written"
    ):
        read_or_make_secret(tmp_path / "key")


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        SettingError, match="STATE_DIR and RECEIPT_DIR must be folders that can be written"
    ):
        read_or_make_secret(tmp_path / "missing" / "key")
