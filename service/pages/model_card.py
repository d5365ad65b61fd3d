"""The model card of the served version as a page: its MODEL_CARD.md with the plots."""

from __future__ import annotations

import re
from pathlib import Path

from flask import Blueprint, Response, abort, send_from_directory
from markupsafe import Markup

from service.pages.markdown import to_html
from service.pages.rendering import answer_page, render

_CARD = "MODEL_CARD.md"
_PLOT = re.compile(r"[a-z_]+\.png", re.ASCII)
_ADDRESS = "/model_card/"


def build_model_card(folder: Path) -> Blueprint:
    """`/model_card` and its plots, from the folder of the served version."""
    pages = Blueprint("model_card", __name__)

    @pages.get("/model_card")
    def model_card() -> Response:
        try:
            text = (folder / _CARD).read_text(encoding="utf-8")
        except OSError:
            text = f"# Model {folder.name}\n\nThis version was published without {_CARD}.\n"
            return answer_page(_render(text), 404)
        return answer_page(_render(text), img_src="'self'")

    @pages.get(f"{_ADDRESS}<name>")
    def plot(name: str) -> Response:
        if not _PLOT.fullmatch(name):
            abort(404)
        return send_from_directory(folder.absolute(), name, mimetype="image/png")

    return pages


def _render(text: str) -> str:
    return render("model_card.html", title=text.partition("\n")[0].strip("# "), card=_shown(text))


def _shown(text: str) -> Markup:
    return Markup(to_html(text, _ADDRESS))
