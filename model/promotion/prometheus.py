"""The outcomes' Prometheus, or Grafana Cloud's, as the environment says how to sign in there."""

from __future__ import annotations

from model.serving.errors import ModelError
from prometheus.client import query
from prometheus.client.errors import RequestError
from prometheus.client.http import Client, basic, bearer

_SIGN_IN_HINT = "the token (PROMETHEUS_TOKEN, with PROMETHEUS_USER) is not accepted"


class Prometheus:
    """The HTTP API at `address`; with a `token`, and with a `user` beside it as basic auth."""

    def __init__(self, address: str, user: str = "", token: str = "") -> None:
        authorization = basic(user, token) if user and token else bearer(token) if token else None
        try:
            client = Client(address, authorization, setting="--prometheus")
        except RequestError as error:
            raise ModelError(str(error)) from error
        self._prometheus = query.Prometheus(client, _SIGN_IN_HINT)

    def samples(self, selector: str, start: float, end: float) -> list[query.History]:
        """Every stored sample after start and until end; a ModelError says why none can be had."""
        try:
            return self._prometheus.samples(selector, start, end)
        except RequestError as error:
            raise ModelError(str(error)) from error

    def query(self, expression: str, at: float) -> list[query.Sample]:
        """The expression's value at a moment; a ModelError says why none can be had."""
        try:
            return self._prometheus.query(expression, at)
        except RequestError as error:
            raise ModelError(str(error)) from error
