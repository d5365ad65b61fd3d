"""What stops a command of `python -m grafana`."""

from __future__ import annotations


class GrafanaError(Exception):
    """What went wrong, as one sentence for the person at the terminal."""
