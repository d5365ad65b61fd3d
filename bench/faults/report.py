"""Tables of measurements on a page of docs/: each stands between its two marks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.paths import ROOT

PAGE = ROOT / "docs" / "reliability.md"


@dataclass(frozen=True)
class Report:
    """One table, under the page's heading `title`."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def format(self) -> str:
        """As Markdown."""
        lines = [self.head, ["---"] * len(self.head), *self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_report(report: Report, page: Path | None = None) -> None:
    """Put the table in its place on the page, which has the marks already."""
    page = page or PAGE
    text = page.read_text(encoding="utf-8")
    mark = report.title.lower().replace(" ", "-")
    place = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- end -->)", re.DOTALL)
    written, count = place.subn(lambda found: f"{found[1]}{report.format()}\n{found[2]}", text)
    if count != 1:
        raise ValueError(f"{page.name} has no place for {report.title!r}")
    page.write_text(written, encoding="utf-8")
