"""What the page is made of: a library as it was published, and nothing from elsewhere."""

from __future__ import annotations

import hashlib
import re

from tests.lab.paths import ROOT

FOLDER = ROOT / "prometheus" / "live_view"
UPLOT = FOLDER / "uplot"


def test_uplot_is_as_published() -> None:
    """The sums are those of npm's package; `make uplot` fetches both anew."""
    lines = (UPLOT / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split() for line in lines)}
    files = {path.name for path in UPLOT.iterdir()} - {"SHA256SUMS"}

    assert files == set(sums) == {"LICENSE", "uPlot.iife.min.js", "uPlot.min.css"}
    for name, expected in sums.items():
        assert hashlib.sha256((UPLOT / name).read_bytes()).hexdigest() == expected, name


def test_recipe_of_uplot_names_the_version_that_is_here() -> None:
    (recipe,) = re.findall(r"^UPLOT := ([\d.]+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert f"(v{recipe}) */" in (UPLOT / "uPlot.iife.min.js").read_text(encoding="utf-8")[:80]


def test_nothing_is_loaded_from_elsewhere() -> None:
    own = [FOLDER / "index.html", FOLDER / "live_view.css", *(FOLDER / "js").rglob("*.js")]
    assert len(own) > 20
    for path in own:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert re.findall(r"https?://\w+", text) == [], path
        assert "innerHTML" not in text, path
