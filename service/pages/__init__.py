"""What the service shows to people: the start page, the API's description and its reader."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask, Response
from flask_swagger_ui import get_swaggerui_blueprint

from service.schemas import Json
from service.security_headers import POLICY, hash_inline, write_policy

_PAGE = Path(__file__).parent / "index.html"


def add_pages(app: Flask, description: Json) -> None:
    """`/`, `/openapi.json` and `/docs`."""
    app.register_blueprint(_start_page(description))
    app.register_blueprint(_api_reader())


def _start_page(description: Json) -> Blueprint:
    pages = Blueprint("pages", __name__)
    page = _PAGE.read_text(encoding="utf-8")
    # The page is one file and talks to its own service only.
    policy = write_policy(
        script_src=hash_inline(page, "script"),
        style_src=hash_inline(page, "style"),
        connect_src="'self'",
    )

    @pages.get("/")
    def index() -> Response:
        answer = Response(page, mimetype="text/html")
        answer.headers[POLICY] = policy
        return answer

    @pages.get("/openapi.json")
    def openapi() -> dict[str, object]:
        return description

    return pages


def _api_reader() -> Blueprint:
    """Swagger UI, its files from the package."""
    # Without an address of its own it would write the header Host into the page's script.
    config = {"validatorUrl": None, "oauth2RedirectUrl": None}
    reader: Blueprint = get_swaggerui_blueprint("/docs", "/openapi.json", config)

    @reader.after_request
    def set_policy(response: Response) -> Response:
        # Files are passed through unread; they have no script of their own.
        inline = (
            ""
            if response.direct_passthrough
            else hash_inline(response.get_data(as_text=True), "script")
        )
        response.headers[POLICY] = write_policy(
            script_src=f"'self' {inline}".rstrip(),
            # Swagger UI sets styles on its elements as it draws them.
            style_src="'self' 'unsafe-inline'",
            img_src="'self' data:",
            connect_src="'self'",
        )
        return response

    return reader
