"""What can be different in synthetic rows; without numpy, so that the command line can ask."""

from __future__ import annotations

from typing import Final, Literal, get_args

Scenario = Literal["steady", "drift", "concept", "burst"]
SCENARIOS: Final[tuple[str, ...]] = get_args(Scenario)
