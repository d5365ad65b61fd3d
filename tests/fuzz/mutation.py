"""Coverage-guided mutation: what reaches new lines of the code under test is mutated further.

Deterministic for a seed. Lines are seen by `sys.settrace`, in functions of `modules` alone.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from types import FrameType
from typing import Any

# A case that computes longer, or waits longer, counts as hung: other work may take the processor.
HANG_SECONDS = 2.0
WAIT_SECONDS = 60.0
_LONGEST = 4096
_TOKENS = (
    b"{", b"}", b"[", b"]", b":", b",", b'"', b"\\u0000", b"\\ud800", b"null", b"true", b"NaN",
    b"-0", b"1e400", b"1e-400", b"9" * 400, b"0.1", b"\xff", b"\x00", b"\xef\xbb\xbf", b"\x1f\x8b",
    b".", b"_", b"-", b"[" * 500, b'{"a":' * 200, b" " * 64,
)  # fmt: skip


class Fuzzer:
    """Feeds `target` with mutations of `seeds`; whatever it raises is a finding."""

    def __init__(
        self,
        target: Callable[[bytes], object],
        seeds: Sequence[bytes],
        modules: Sequence[str],
        seed: int = 1,
    ) -> None:
        self._target = target
        self._corpus = list(seeds)
        self._modules = tuple(modules)
        self._random = random.Random(seed)
        self._seen: set[tuple[str, int]] = set()
        self.cases = 0

    @property
    def lines(self) -> int:
        """Lines of the modules that were reached."""
        return len(self._seen)

    def run(self, cases: int) -> None:
        """So many cases; AssertionError names the input of the first that raises or hangs."""
        for text in chain(list(self._corpus), islice(self._mutations(), cases)):
            self.cases += 1
            if self._reaches_new_lines(text):
                self._corpus.append(text)

    def _mutations(self) -> Iterator[bytes]:
        while True:
            text = self._random.choice(self._corpus)
            for _ in range(self._random.randint(1, 4)):
                text = self._mutate(text)
            yield text[:_LONGEST]

    def _mutate(self, text: bytes) -> bytes:
        pick, at = self._random, self._random.randint(0, len(text))
        end = min(len(text), at + pick.randint(0, 8))
        match pick.randrange(5):
            case 0:
                return text[:at] + text[end:]
            case 1:
                return text[:at] + pick.choice(_TOKENS) + text[end:]
            case 2:
                return text[:at] + bytes([pick.randrange(256)]) + text[at + 1 :]
            case 3:
                other = pick.choice(self._corpus)
                return text[:at] + other[pick.randint(0, len(other)) :]
            case _:
                return text[:at] + text[at:end] * pick.randint(2, 9) + text[end:]

    def _reaches_new_lines(self, text: bytes) -> bool:
        before, started, computed = len(self._seen), time.monotonic(), time.process_time()
        sys.settrace(self._trace_call)
        try:
            self._target(text)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} for {text!r}") from error
        finally:
            sys.settrace(None)
        assert time.process_time() - computed < HANG_SECONDS, f"hung on {text!r}"
        assert time.monotonic() - started < WAIT_SECONDS, f"waits on {text!r}"
        return len(self._seen) > before

    def _trace_call(self, frame: FrameType, event: str, argument: Any) -> Any:
        name = frame.f_globals.get("__name__", "")
        return self._trace_line if name.startswith(self._modules) else None

    def _trace_line(self, frame: FrameType, event: str, argument: Any) -> Any:
        self._seen.add((frame.f_code.co_filename, frame.f_lineno))
        return self._trace_line
