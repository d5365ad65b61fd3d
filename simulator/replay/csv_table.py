"""A CSV file as a table: plain or gzip, UTF-8 or with a byte order mark, any usual separator."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

from simulator.contract.errors import ReplayError

_GZIP_MAGIC: Final = b"\x1f\x8b"
_SEPARATORS: Final = (",", ";", "\t", "|")
# UTF-32 first: its mark begins as that of UTF-16 does.
_ENCODINGS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES: Final = 64 * 1024


class CsvTable:
    """The rows after the header; blank lines are left out."""

    def __init__(self, file: Path, text: io.TextIOBase, separator: str) -> None:
        self._file = file
        lines = csv.reader(text, delimiter=separator)
        self._rows = (row for row in lines if len(row) > 1 or "".join(row).strip())
        self.columns: Sequence[str] = next(self._rows, [])
        if not self.columns:
            raise ReplayError(f"{file} is empty")

    def read(self, positions: Sequence[int]) -> Iterator[Sequence[str]]:
        """A row that ends with empty cells beyond the header is read without them."""
        for number, row in enumerate(self._rows):
            if len(row) < len(self.columns) or any(row[len(self.columns) :]):
                raise ReplayError(
                    f"{self._file}, row {number}: it has {len(row)} cells,"
                    f" the header has {len(self.columns)}"
                )
            yield [row[position] for position in positions]


@contextmanager
def open_csv(file: Path) -> Iterator[CsvTable]:
    """Raises ReplayError where the file is no text, also while it is read."""
    try:
        with file.open("rb") as content, _decompress(content) as plain:
            sample = plain.read(_SAMPLE_BYTES)
            plain.seek(0)
            encoding = _detect_encoding(sample, file)
            with io.TextIOWrapper(plain, encoding=encoding, newline="") as text:
                yield CsvTable(file, text, _detect_separator(text))
    except UnicodeDecodeError as error:
        raise ReplayError(
            f"{file} cannot be read as a table: it is not {error.encoding} text"
            f" ({error.reason}); save it as UTF-8"
        ) from None
    except (csv.Error, zlib.error) as error:
        raise ReplayError(f"{file} cannot be read as a table: {error}") from None


def _decompress(content: BinaryIO) -> BinaryIO:
    magic = content.read(len(_GZIP_MAGIC))
    content.seek(0)
    return cast(BinaryIO, gzip.GzipFile(fileobj=content)) if magic == _GZIP_MAGIC else content


def _detect_encoding(sample: bytes, file: Path) -> str:
    for mark, encoding in _ENCODINGS:
        if sample.startswith(mark):
            return encoding
    if b"\0" in sample:
        raise ReplayError(f"{file} cannot be read as a table: it is no text")
    return "utf-8-sig"


def _detect_separator(text: io.TextIOWrapper) -> str:
    """The separator that gives the header the most cells; the comma where several do."""
    header = next((line for line in text if line.strip()), "")
    text.seek(0)
    return max(_SEPARATORS, key=lambda one: len(next(csv.reader([header], delimiter=one), [])))
