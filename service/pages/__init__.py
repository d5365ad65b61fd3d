"""What the service shows to people: the start page, the API's description and its reader."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response
from flask_swagger_ui import get_swaggerui_blueprint

from service.schemas import Json

_PAGE = Path(__file__).parent / "index.html"
# The page is one file and talks to its own service only.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"  # noqa: E501


def start_page(description: Json) -> Blueprint:
    """`/` and `/openapi.json`."""
    pages = Blueprint("pages", __name__)
    page = _PAGE.read_text(encoding="utf-8")

    @pages.get("/")
    def index() -> Response:
        answer = Response(page, mimetype="text/html")
        answer.headers["Content-Security-Policy"] = _POLICY
        return answer

    @pages.get("/openapi.json")
    def openapi() -> dict[str, object]:
        return description

    return pages


def api_reader() -> Blueprint:
    """`/docs`: Swagger UI, its files from the package."""
    blueprint: Blueprint = get_swaggerui_blueprint("/docs", "/openapi.json", {"validatorUrl": None})
    return blueprint
