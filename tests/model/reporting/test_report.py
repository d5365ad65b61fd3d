"""`python -m model report`: one file for people, the same as JSON, and sentences where it fails."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from model.cli import main
from model.data.dataset import Dataset
from model.registry.holdout_curves import CURVES_FILE, read_curves, trace_curves
from model.registry.writer import RegistryWriter
from tests.model.conftest import SEED


class Reader(HTMLParser):
    """Counts elements, and notes those that are not closed."""

    VOID = frozenset({"meta"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] = self.seen.get(tag, 0) + 1
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] = self.seen.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def report(registry: RegistryWriter, *options: str) -> int:
    return main(["report", "--models", str(registry.root), *options])


def read(page: Path) -> Reader:
    reader = Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    assert reader.open == []
    return reader


def test_page_stands_by_itself(registry: RegistryWriter, tmp_path: Path) -> None:
    """Three charts, and nothing that is loaded or run."""
    page = tmp_path / "report.html"
    assert report(registry, "--out", str(page)) == 0
    text = page.read_text(encoding="utf-8")
    assert read(page).seen["polygon"] == 2
    assert not re.search(r"<script|<link|<img|https?://|@import|url\(", text)
    assert page.stat().st_size < 200_000


def test_json_is_beside_the_page_and_tells_the_same(
    registry: RegistryWriter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    report(registry, "--out", str(page), "--json")
    content = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert content["version"] == registry.champion()
    assert content["card"]["metrics"]["rows"] == registry.card(registry.champion()).metrics.rows
    assert content["against"] is None
    assert capsys.readouterr().out == f"wrote {page}\nwrote {page.with_suffix('.json')}\n"


@pytest.mark.parametrize(("scenario", "moved"), [("steady", False), ("drift", True)])
def test_table_that_moved_is_told_from_one_that_did_not(
    registry: RegistryWriter, tmp_path: Path, scenario: str, moved: bool
) -> None:
    """By the drift of 20,000 rows, half of which are of the scenario."""
    table = tmp_path / "rows.csv"
    made = ["data", "--out", str(table), "--rows", "20000", "--seed", "9", "--scenario", scenario]
    assert main(made) == 0
    page = tmp_path / "report.html"
    report(registry, "--out", str(page), "--against", str(table), "--json")
    content = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert any(each["moved"] for each in content["against"]["drift"]) == moved
    assert ("Nothing has moved beyond chance." in page.read_text(encoding="utf-8")) != moved


def test_rows_that_no_request_may_hold_are_left_out(
    registry: RegistryWriter, tmp_path: Path
) -> None:
    table = tmp_path / "rows.csv"
    main(["data", "--out", str(table), "--rows", "500", "--seed", "9"])
    lines = table.read_text().splitlines()
    place = lines[0].split(",").index("age")
    cells = lines[1].split(",")
    cells[place] = "7"
    table.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n")
    report(registry, "--out", str(tmp_path / "r.html"), "--against", str(table), "--json")
    against = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["against"]
    assert (against["rows"], against["refused"]) == (499, {"age": 1})


def test_version_without_curves_has_the_rest(registry: RegistryWriter, tmp_path: Path) -> None:
    """As those of an earlier program."""
    (registry.folder(registry.champion()) / CURVES_FILE).unlink()
    page = tmp_path / "report.html"
    assert report(registry, "--out", str(page)) == 0
    assert "published without its holdout" in page.read_text(encoding="utf-8")
    assert "polygon" not in read(page).seen


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["9-00000000"], "version 9-00000000 is not in"),
        (["--against", "missing.csv"], "there is no file missing.csv"),
        (["--out", "no/such/folder/r.html"], "no/such/folder/r.html cannot be written"),
    ],
    ids=["version", "table", "folder"],
)
def test_what_cannot_be_done_is_one_sentence(
    registry: RegistryWriter,
    options: list[str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert report(registry, *options) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"model: {sentence}") and error.count("\n") == 1


def test_damaged_curves_are_one_sentence(
    registry: RegistryWriter, capsys: pytest.CaptureFixture[str]
) -> None:
    (registry.folder(registry.champion()) / CURVES_FILE).write_text("{")
    assert report(registry) == 1
    assert CURVES_FILE in capsys.readouterr().err


def test_bands_hold_their_curves(registry: RegistryWriter) -> None:
    """And end where every curve does."""
    curves = read_curves(registry, registry.champion())
    assert curves is not None
    for band in (curves.precision_recall, curves.roc):
        inside = [
            low - 1e-6 <= y <= high + 1e-6
            for low, y, high in zip(band.low, band.y, band.high, strict=True)
        ]
        # The whole holdout lies within nearly all of its own bootstrap bounds.
        assert sum(inside) >= 0.95 * len(inside)
    assert (curves.roc.x[-1], curves.roc.y[-1]) == (1, 1)
    metrics = registry.card(registry.champion()).metrics
    assert sum(each.rows for each in curves.calibration) == metrics.rows
    assert curves.fraud_share == pytest.approx(metrics.frauds / metrics.rows, abs=1e-6)


def test_curves_are_the_same_each_time(dataset: Dataset) -> None:
    """Of the same rows and seed."""
    target = dataset.target[:500]
    scores = dataset.features[:500, 4]
    assert trace_curves(target, scores, SEED) == trace_curves(target, scores, SEED)
