"""What the service shows to people: the start page, the model card, the API's description and its
reader."""

from __future__ import annotations

from flask import Blueprint, Flask

from model.serving.card import Card
from service.openapi import describe_api
from service.pages.api_reader import build_api_reader
from service.pages.links import find_links
from service.pages.model_card import build_model_card
from service.pages.start_page import build_start_page
from service.schemas import Json
from service.settings import Settings


def add_pages(app: Flask, card: Card, settings: Settings) -> None:
    """`/`, `/model_card`, `/openapi.json` and `/docs`, of the model of `card`."""
    app.register_blueprint(build_start_page(find_links(settings)))
    app.register_blueprint(build_model_card(settings.model_dir / card.version))
    description = describe_api(card, settings.max_batch, settings.max_simulated)
    app.register_blueprint(_build_description(description))
    app.register_blueprint(build_api_reader())


def _build_description(description: Json) -> Blueprint:
    pages = Blueprint("description", __name__)

    @pages.get("/openapi.json")
    def openapi() -> dict[str, object]:
        return description

    return pages
