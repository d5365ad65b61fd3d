"""Where log lines go: standard output, and what becomes of those that it does not take."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from collections.abc import Callable, Iterator


class LogOutput:
    """Writes lines to standard output.

    A line that is not taken (a full disk, a reader that has gone) is lost: that is said on standard
    error when it begins, and counted until lines are taken again.
    """

    def __init__(self) -> None:
        self._lost = 0
        self._works = True
        self._torn = False

    def write(self, lines: list[bytes]) -> None:
        """Each ends with a newline."""
        for piece in _join_lines(lines):
            self._write(piece)

    def write_loss(self, describe: Callable[[int], bytes]) -> None:
        """Write how many were lost, once one is taken again; a line about them that is not taken
        itself is written again the next time."""
        lost = self._lost
        if lost and self._works:
            self._write(describe(lost))
            self._lost = 0 if self._works else lost

    def _write(self, piece: bytes) -> None:
        # What was written of a line that broke off stays a line of its own.
        content = b"\n" + piece if self._torn else piece
        left = content
        try:
            while left:
                try:
                    left = left[os.write(sys.stdout.fileno(), left) :]
                except BlockingIOError:
                    # Whoever started the service has made it non-blocking.
                    select.select((), (sys.stdout.fileno(),), ())
        except (OSError, ValueError, AttributeError) as error:
            # Of the last kind where the service was started without a standard output.
            self._lost += min(left.count(b"\n"), piece.count(b"\n"))
            self._say(error)
        self._works = not left
        if len(left) < len(content):
            self._torn = content[len(content) - len(left) - 1] != ord("\n")

    def _say(self, error: Exception) -> None:
        if self._works:
            cause = f"{type(error).__name__}: {error}".removesuffix(": ")
            with contextlib.suppress(OSError, ValueError):
                print(f"Log lines are lost: {cause}", file=sys.stderr, flush=True)


def _join_lines(lines: list[bytes]) -> Iterator[bytes]:
    """As few pieces as can be, each of whole lines: what other workers write to the same pipe does
    not come between the bytes of a piece that is not longer than PIPE_BUF."""
    piece = b""
    for line in lines:
        if piece and len(piece) + len(line) > select.PIPE_BUF:
            yield piece
            piece = b""
        piece += line
    if piece:
        yield piece
