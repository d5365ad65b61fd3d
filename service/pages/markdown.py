"""The Markdown that model cards are written in, as HTML: headings, paragraphs, lists, tables,
pictures and code. Everything else is text, whatever it looks like.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import groupby

_PICTURE = re.compile(r"!\[([^\]]*)\]\(([\w.-]+)\)")
_CODE = re.compile(r"`([^`]+)`")
_HEADING = re.compile(r"(#{1,3}) (.*)")
_RULE = re.compile(r"\|( *:?-+:? *\|)+")


def to_html(text: str, pictures: str) -> str:
    """The text's blocks; a picture's address follows after `pictures`."""
    blocks = (block for block in re.split(r"\n{2,}", text.strip()) if block)
    return "\n".join(part for block in blocks for part in _render_block(block, pictures))


def _render_block(block: str, pictures: str) -> Iterator[str]:
    """A block may hold lines of several kinds below each other."""
    for kind, lines in groupby(block.splitlines(), key=_kind_of):
        yield _RENDER[kind]([_render_words(line, pictures) for line in lines])


def _kind_of(line: str) -> str:
    if _HEADING.fullmatch(line):
        return "heading"
    if line.startswith("- "):
        return "list"
    return "table" if line.startswith("|") else "paragraph"


def _render_words(line: str, pictures: str) -> str:
    words = html.escape(line)
    words = _CODE.sub(r"<code>\1</code>", words)
    return _PICTURE.sub(rf'<img alt="\1" src="{pictures}\2">', words)


def _render_headings(lines: list[str]) -> str:
    found = [match for line in lines if (match := _HEADING.fullmatch(line))]
    return "\n".join(f"<h{len(one[1])}>{one[2]}</h{len(one[1])}>" for one in found)


def _render_list(lines: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{line.removeprefix('- ')}</li>" for line in lines) + "</ul>"


def _render_paragraph(lines: list[str]) -> str:
    return f"<p>{' '.join(lines)}</p>"


def _render_table(lines: list[str]) -> str:
    """The first line names the columns; the scrolled region can be reached by keyboard."""
    head, *rows = [_split_cells(line) for line in lines if not _RULE.fullmatch(line)]
    titles = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    table = f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide" role="region" aria-label="{head[0]}" tabindex="0">{table}</div>'


def _split_cells(line: str) -> list[str]:
    """A bar after a backslash is no border."""
    cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return [cell.strip().replace("\\|", "|") for cell in cells]


_RENDER = {
    "heading": _render_headings,
    "list": _render_list,
    "paragraph": _render_paragraph,
    "table": _render_table,
}
