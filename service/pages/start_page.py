"""The start page: score a transaction, see why, say what it was, and see how the service is."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response

from service.pages.links import Links
from service.pages.rendering import PARTS, answer_page, render

# Classic scripts in one scope, in this order, so that the page stays one file.
_SCRIPTS = ("dom", "api", "form", "answer", "reasons", "feedback", "now", "main")


def build_start_page(links: Links) -> Blueprint:
    """`/` and its icon."""
    pages = Blueprint("start_page", __name__)
    scripts = [f"js/{name}.js" for name in _SCRIPTS]
    page = render("index.html", links=links, scripts=scripts)
    # It talks to its own service, and asks Alertmanager what fires.
    asked = " ".join(filter(None, ("'self'", _origin_of(links.alerts))))
    icon = (PARTS / "favicon.svg").read_bytes()

    @pages.get("/")
    def index() -> Response:
        return answer_page(page, connect_src=asked, img_src="'self'")

    @pages.get("/favicon.ico")
    def favicon() -> Response:
        return Response(icon, mimetype="image/svg+xml")

    return pages


def _origin_of(address: str) -> str:
    if not address:
        return ""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
