"""Swagger UI on the API's description, its files from the package."""

from __future__ import annotations

from flask import Blueprint, Response
from flask_swagger_ui import get_swaggerui_blueprint

from service.security_headers import POLICY, hash_inline, write_policy


def build_api_reader() -> Blueprint:
    """`/docs/`."""
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
