"""The report's files."""

from __future__ import annotations

from pathlib import Path

import msgspec

from model.reporting.content import Report
from model.reporting.page import render_page
from model.serving.errors import ModelError


def write_report(report: Report, out: Path | None, with_json: bool) -> list[Path]:
    """The page, and beside it the same as JSON; a ModelError where a file cannot be written."""
    page = out or Path(f"report-{report.version}.html")
    contents = {page: render_page(report).encode()}
    if with_json:
        json = msgspec.json.encode(report.as_json())
        contents[page.with_suffix(".json")] = msgspec.json.format(json, indent=2) + b"\n"
    for path, content in contents.items():
        try:
            path.write_bytes(content)
        except OSError as error:
            raise ModelError(f"{path} cannot be written ({error.strerror})") from error
    return list(contents)
