"""`traces`: the last kept traces, or one of them as a waterfall."""

from __future__ import annotations

import shutil

from stack import state
from stack.errors import StackError
from stack.settings import Settings
from stack.traces.spans import read_traces
from stack.traces.waterfall import list_lines, waterfall

LISTED = 20
LEAST_PREFIX = 4
KEPT = "Kept are failed, refused and slow requests, predicted frauds and a tenth of the rest"


def show_traces(settings: Settings, wanted: str | None) -> int:
    """Prints the newest ones, or the one whose id begins so; StackError when there is none."""
    traces = read_traces(settings.traces)
    if not traces:
        running = state.read_running(settings.run)
        if running is not None and running.mode == state.DOCKER:
            raise StackError("With Docker traces are in Grafana: Explore, data source Tempo.")
        raise StackError(f"No trace is in {settings.traces}: a native start keeps them there.")
    if wanted is None:
        print("\n".join(list_lines(traces[:LISTED])))
        print(f"{len(traces)} are kept. One of them: ./start_mlops.sh traces ID")
        return 0
    found = [each for each in traces if each.trace_id.startswith(wanted.strip().lower())]
    if len(wanted.strip()) < LEAST_PREFIX or len(found) > 1:
        raise StackError(f"{wanted!r} is not enough: give more of the trace's id.")
    if not found:
        raise StackError(
            f"No kept trace has the id {wanted!r}. {KEPT}, seconds after the answer, and the oldest"
            " go when TRACES_FILE_MIB is full."
        )
    print("\n".join(waterfall(found[0], shutil.get_terminal_size().columns)))
    return 0
