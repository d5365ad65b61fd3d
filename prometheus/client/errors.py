"""What the clients raise."""

from __future__ import annotations


class RequestError(Exception):
    """Why nothing was answered: one sentence with the setting to look at, without a secret."""
