"""The entry point: reads the command line and the environment, runs, prints the summary."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence

from simulator.contract.errors import SimulatorError, TargetError
from simulator.exit_codes import NOT_REACHED
from simulator.options import Options, read_options
from simulator.report.json_summary import format_json
from simulator.report.progress import Progress
from simulator.report.summary_table import format_markdown, format_text
from simulator.simulation import run_simulation


def main(arguments: Sequence[str]) -> int:
    """Runs the simulator; the exit code is as `--help` says."""
    options = read_options(arguments, os.environ)
    progress = Progress(sys.stderr, options.quiet)
    try:
        result = asyncio.run(run_simulation(options, progress))
    except SimulatorError as error:
        progress.end_line()
        return _report_not_run(options, error)
    except asyncio.CancelledError:
        progress.end_line()
        interrupted = TargetError(f"ended before {options.address.url} was reached")
        return _report_not_run(options, interrupted)
    print(format_json(result) if options.json else format_text(result))
    _append_summary(options, format_markdown(result))
    return result.exit_code


def _report_not_run(options: Options, error: SimulatorError) -> int:
    print(f"simulator: {error}", file=sys.stderr)
    heading = "Not reached" if isinstance(error, TargetError) else "Not replayed"
    _append_summary(options, f"## Simulator against {options.address.url}\n\n{heading}: {error}\n")
    return NOT_REACHED


def _append_summary(options: Options, text: str) -> None:
    if options.summary is None:
        return
    try:
        with options.summary.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        # The run counts, and its exit code: what it found is printed already.
        message = f"the summary cannot be written to {options.summary}: {error.strerror}"
        print(f"simulator: {message}", file=sys.stderr)
