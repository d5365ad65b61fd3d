"""The model card's Markdown as HTML, and what in it is only text."""

from __future__ import annotations

import pytest

from model.registry.model_card import render_model_card
from service.pages.markdown import to_html
from tests.conftest import make_card


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Model 1", "<h1>Model 1</h1>"),
        ("one\ntwo", "<p>one two</p>"),
        ("- one\n- two `x`", "<ul><li>one</li><li>two <code>x</code></li></ul>"),
        ("![Plot](a.png)", '<p><img alt="Plot" src="/card/a.png"></p>'),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("![x](javascript:alert(1))", "<p>![x](javascript:alert(1))</p>"),
        ('![" onerror="x](a.png)', '<p><img alt="&quot; onerror=&quot;x" src="/card/a.png"></p>'),
    ],
    ids=["heading", "paragraph", "list", "picture", "script", "address", "attribute"],
)
def test_block_becomes_html(text: str, expected: str) -> None:
    assert to_html(text, "/card/") == expected


def test_table_has_its_titles_and_rows() -> None:
    """A bar after a backslash is part of its cell."""
    html = to_html("| name | rows |\n| --- | --- |\n| a\\|b | 3 |", "/card/")
    assert '<th scope="col">name</th><th scope="col">rows</th>' in html
    assert "<tr><td>a|b</td><td>3</td></tr>" in html


def test_whole_card_is_rendered() -> None:
    html = to_html(render_model_card(make_card()), "/card/")
    assert html.count("<h2>") == 5
    assert html.count("<table>") == 2
    assert html.count("<img") == 3
    assert "##" not in html and "| ---" not in html
