"""axe-core, the engine of most accessibility checkers, and the contrast of texts as WCAG has it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

AXE = "axe-core@4.10.3"
_RUN = "async () => (await axe.run(document)).violations.map((one) => [one.id, one.nodes[0].html])"
# Luminance and contrast ratio: WCAG 2.2, 1.4.3; large is from 24 px, bold from 18.66 px on.
_CONTRAST = """() => {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, under) => {
    const mix = (name) => top.a * top[name] + (1 - top.a) * under[name];
    return { r: mix("r"), g: mix("g"), b: mix("b"), a: 1 };
  };
  const background = (element) => {
    if (!element) return { r: 255, g: 255, b: 255, a: 1 };
    const own = parse(getComputedStyle(element).backgroundColor);
    return own.a === 1 ? own : over(own, background(element.parentElement));
  };
  const channel = (value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  const luminance = ({ r, g, b }) =>
    0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const measured = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { parentElement: element, textContent: text } = texts.currentNode;
    if (!text.trim() || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const under = background(element);
    const [one, other] = [luminance(over(parse(style.color), under)), luminance(under)];
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    measured.push({ text: text.trim().slice(0, 40), ratio, wanted: isLarge ? 3 : 4.5 });
  }
  return measured;
}"""


def fetch_axe(folder: Path) -> Path:
    """axe.min.js, fetched by npm into the folder."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm, which fetches axe-core, is not installed")
    command = [npm, "pack", "--silent", "--pack-destination", str(folder), AXE]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (archive,) = folder.glob("*.tgz")
    shutil.unpack_archive(archive, folder)
    return folder / "package" / "axe.min.js"


def find_violations(page: Page, axe: Path) -> Any:
    """What axe has against the page as it stands: its rule and an element each."""
    page.evaluate(axe.read_text(encoding="utf-8"))
    return page.evaluate(_RUN)


def measure_contrast(page: Page) -> list[dict[str, Any]]:
    """Of each visible text: its beginning, its contrast ratio, and the one that WCAG AA wants."""
    found: list[dict[str, Any]] = page.evaluate(_CONTRAST)
    return found
