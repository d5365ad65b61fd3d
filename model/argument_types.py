"""From an argument's text to its value; argparse turns what is refused here into a usage error."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime
from typing import Final

from model.data.split import Holdout
from model.training.candidate_names import CANDIDATE_NAMES

_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def parse_count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return count


def parse_positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number


def parse_share(text: str) -> float:
    share = float(text)
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return share


def parse_duration(text: str) -> float:
    """'7d', '12h', '30m', '90s'; a number without a unit is seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text} is not a time such as 7d, 12h, 30m or 90s")
    return float(match[1]) * _UNITS[match[2] or "s"]


def parse_moment(text: str) -> float:
    """Seconds since 1970 of an ISO date; UTC unless it says otherwise."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def parse_holdout(text: str) -> Holdout:
    if re.search(r"[smhd]$", text):
        return Holdout(seconds=parse_duration(text))
    return Holdout(share=parse_share(text))


def parse_separator(text: str) -> str:
    """One character; 'tab' and '\\t' for a tab."""
    if text in ("tab", "\\t"):
        return "\t"
    if len(text) != 1:
        raise argparse.ArgumentTypeError(f"{text} is not one character; a tab is written tab")
    return text


def parse_candidates(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name not in CANDIDATE_NAMES:
            known = ", ".join(CANDIDATE_NAMES)
            raise argparse.ArgumentTypeError(f"'{name}' is not one of {known}")
    return names
