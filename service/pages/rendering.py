"""From the parts of a page to its HTML, and to the policy that allows just its own scripts."""

from __future__ import annotations

from pathlib import Path

from flask import Response
from jinja2 import Environment, FileSystemLoader

from service.security_headers import POLICY, hash_inline, write_policy

PARTS = Path(__file__).parent / "parts"
_templates = Environment(loader=FileSystemLoader(PARTS), autoescape=True)


def render(part: str, **values: object) -> str:
    """The page of a template; what is put into it is text, unless it is Markup."""
    return _templates.get_template(part).render(**values)


def answer_page(page: str, status: int = 200, **sources: str) -> Response:
    """The page with its policy: its own inline scripts and styles, and what `sources` adds."""
    inline = {f"{name}_src": hash_inline(page, name) for name in ("script", "style")}
    used = {name: value for name, value in inline.items() if value}
    answer = Response(page, status, mimetype="text/html")
    answer.headers[POLICY] = write_policy(**used, **sources)
    return answer
