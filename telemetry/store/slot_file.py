"""The file behind a slot: its blocks are allocated before it is counted into, and stay so."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

# os.stat counts a file's blocks in this unit, whatever the file system's own is.
_BLOCK = 512
_CHUNK = 65536
_CANNOT_ALLOCATE = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)


@dataclass(frozen=True)
class SlotFile:
    """An open file of `size` bytes at `path`, where other processes find it too.

    `reports_blocks` is False on file systems that do not say how much of a file is allocated,
    as those that compress.
    """

    path: Path
    descriptor: int
    size: int
    reports_blocks: bool

    def why_not_writable(self) -> str | None:
        """One sentence if what is counted here would be lost, or seen by no other worker."""
        name = f"the counters' file {self.path.name} in STATE_DIR"
        try:
            held, found = os.fstat(self.descriptor), self.path.stat()
        except OSError as error:
            return f"{name} cannot be reached any more: {error.strerror}"
        if (found.st_dev, found.st_ino) != (held.st_dev, held.st_ino):
            return f"{name} was replaced by another file while it was in use"
        if held.st_size != self.size:
            return f"{name} has {held.st_size} bytes instead of {self.size}"
        if self.reports_blocks and not _is_allocated(held, self.size):
            return f"{name} has lost blocks on the disk that were allocated to it"
        if not os.access(self.path.parent, os.W_OK | os.X_OK):
            return f"STATE_DIR is not writable any more: {self.path.parent}"
        return None


def allocate(path: Path, descriptor: int, size: int) -> SlotFile:
    """Give the open file `size` bytes that are really allocated for it; raises OSError.

    A file of this size keeps its contents; one of another size begins anew with zeros. Where the
    file has its blocks already nothing is asked of the file system, so that the successor of a
    killed worker starts on a full disk too.
    """
    before = os.fstat(descriptor)
    if before.st_size != size:
        os.ftruncate(descriptor, 0)
    if before.st_size != size or not _is_allocated(before, size):
        try:
            _reserve(descriptor, size)
        except OSError:
            if before.st_size != size:
                os.ftruncate(descriptor, 0)  # Gives back what was reserved until the disk was full.
            raise
    return SlotFile(path, descriptor, size, _is_allocated(os.fstat(descriptor), size))


def _is_allocated(status: os.stat_result, size: int) -> bool:
    return status.st_blocks * _BLOCK >= size


def _reserve(descriptor: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):  # macOS has none.
        try:
            os.posix_fallocate(descriptor, 0, size)
            return
        except OSError as error:
            if error.errno not in _CANNOT_ALLOCATE:
                raise
    _rewrite(descriptor, size)


def _rewrite(descriptor: int, size: int) -> None:
    """Write every byte in place, so that holes become blocks."""
    os.ftruncate(descriptor, size)
    for offset in range(0, size, _CHUNK):
        data = os.pread(descriptor, min(_CHUNK, size - offset), offset)
        if os.pwrite(descriptor, data, offset) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
