"""What handlers say was taken from them against what the store holds.

Each export of a worker carries its number among those that the Collector took (see
telemetry/export/export_numbers.py), and is one sample in the store. So between the last number
before the window and the highest in it there should be as many different numbers
as their difference; what is fewer was lost between Collector and store: refused by the target,
or thrown away with a queue.

The window ends OFFSET ago: what is younger may still be on its way. What the Collector could not
deliver comes later and in order, so an outage is no loss. The last number before the window may be
a week old, since a service may be silent for days. Where numbers began anew (another state folder)
nothing is said until the window is past that.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.durations import Durations, parse_duration
from prometheus.generator.rule import Record

WINDOW, OFFSET, SILENCE = "1h", "5m", "7d"
TAKEN = f"instance:telemetry_deliveries:taken{WINDOW}"
LOST = f"instance:telemetry_deliveries:lost{WINDOW}"
_NUMBER = "telemetry_deliveries_total"


def record_lost_exports(durations: Durations) -> Iterator[Record]:
    """By instance: exports that the Collector took in the window, and those of them lost."""
    window = f"{_NUMBER}[{durations(WINDOW)}] offset {durations(OFFSET)}"
    earlier = durations(f"{(parse_duration(WINDOW) + parse_duration(OFFSET)) // 60}m")
    before = f"last_over_time({_NUMBER}[{durations(SILENCE)}] offset {earlier})"
    # A series that is new may have counted under another instance: then from its first number on.
    known = f"({before} or min_over_time({window}) - 1)"
    began_anew = f"(resets({window}) > 0 or {before} > min_over_time({window}))"
    # By how much the numbers rose.
    yield Record(TAKEN, f"max_over_time({window}) - {known}\nunless {began_anew}")
    # How many of those numbers are not among the samples.
    held = f"changes({window}) + (min_over_time({window}) > bool {known})"
    yield Record(LOST, f"clamp_min(\n{TAKEN}\n- ({held}), 0)")
