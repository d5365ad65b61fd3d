"""One request of the plan: what is sent, when, and how the service should answer it."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.contract.vocabulary import VALID
from simulator.traffic.delayed_labels import PlannedLabel


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """`body` and then `padding` spaces, due `due` seconds after the start.

    `kind`: VALID, the kind of invalid request, or the injected fault that is asked for by
    `fault_header`. The service should answer with `expected_status`, after `min_seconds` at least.
    `label`: the label that follows; None: none does.
    """

    number: int
    due: float
    body: bytes
    padding: int = 0
    kind: str = VALID
    expected_status: int = 200
    user_type: str | None = None
    label: PlannedLabel | None = None
    fault_header: str | None = None
    min_seconds: float = 0.0
