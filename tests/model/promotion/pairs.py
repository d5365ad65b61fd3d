"""The pair of models whose outcomes are compared."""

from __future__ import annotations

PAIR = ("1-aaaaaaaa", "2-bbbbbbbb")
CAUGHT = {"champion": "legitimate", "challenger": "fraud", "truth": "fraud"}
