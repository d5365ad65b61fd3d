"""What stops the stack: one sentence for the person at the terminal, and the exit code."""

from __future__ import annotations


class StackError(Exception):
    """The sentence says what is wrong and what to do; `exit_code` is 1 by default."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
