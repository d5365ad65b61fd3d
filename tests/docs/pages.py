"""The pages that people read, and what can be found in them."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
# Written by hand, but for generated parts; runbooks have a test of their own.
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
EVERY_PAGE = sorted([*ROOT.glob("*.md"), *DOCS.glob("**/*.md"), *ROOT.glob("*/README.md")])


def name_of(page: Path) -> str:
    """The page's path from the root, for the names of tests."""
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """The headings of a page as GitHub makes anchors of them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).strip().replace(" ", "-") for each in headings}


def section(page: Path, heading: str) -> str:
    """The text below a heading of the second level, to the next one."""
    parts = re.split(r"^## (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[heading]


def rows(text: str) -> list[list[str]]:
    """The cells of every line of every table, head lines left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines]
    rules = [n for n, row in enumerate(cells) if set("".join(row)) <= set("- ")]
    heads = {n for rule in rules for n in (rule - 1, rule)}
    return [row for n, row in enumerate(cells) if n not in heads]


def names_in(text: str) -> set[str]:
    """Names of environment variables in backticks: `PORT`, or `PORT=5001`."""
    return set(re.findall(r"`([A-Z][A-Z_]{3,})(?:=[^`]*)?`", text))


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language, whatever mark follows it."""
    pattern = rf"^ *```{language}\b[^\n]*\n(.*?)^ *```$"
    return re.findall(pattern, text, re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[list[str]]:
    """The words of every command in a block of shell or in backticks, comments left out.

    A command in backticks counts if it begins as one that this project has.
    """
    text = page.read_text(encoding="utf-8")
    outside = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    begins = r"(?:\S*python3? -m |make |\./|sh |docker)"
    inline = re.findall(rf"`({begins}[^`]*)`", outside)
    in_blocks = [line for block in blocks(text, "sh") for line in split_lines(block)]
    return [words for line in (*in_blocks, *inline) if (words := shlex.split(line, comments=True))]


def split_lines(block: str) -> list[str]:
    """The commands of a block of shell; a command, and a text in quotes, may go over several
    lines."""
    found, held = [], ""
    for line in block.replace("\\\n", " ").splitlines():
        held = f"{held}\n{line}" if held else line
        if held.count("'") % 2 == 0:
            found.append(held.strip())
            held = ""
    return [line for line in found if line]


@cache
def recorded_series() -> frozenset[str]:
    """Names of the series that the rules record."""
    files = sorted((ROOT / "prometheus" / "rules").glob("*.yml"))
    groups = [g for file in files for g in yaml.safe_load(file.read_text("utf-8"))["groups"]]
    return frozenset(rule["record"] for g in groups for rule in g["rules"] if "record" in rule)
