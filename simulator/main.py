"""The composition root: reads the command line and the environment, runs, tells, exits."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from simulator.errors import TargetError
from simulator.model_info import ModelInfo
from simulator.open_files import connections_allowed
from simulator.open_loop import run_open_loop
from simulator.options import Options, read_options
from simulator.plan import plan_requests
from simulator.progress import Progress
from simulator.sender import http_sender
from simulator.summary import Run, as_json, as_markdown, as_text
from simulator.tally import Tally
from simulator.target import reach_target

FINE, NOT_REACHED, FAILED = 0, 1, 3


def main(arguments: Sequence[str]) -> int:
    """Runs the simulator; the exit code is as `--help` says."""
    options = read_options(arguments, os.environ)
    progress = Progress(sys.stderr, options.quiet)
    try:
        run, tally = asyncio.run(_run(options, progress))
    except TargetError as error:
        progress.close()
        return _not_reached(options, str(error))
    except asyncio.CancelledError:
        progress.close()
        return _not_reached(options, f"ended before {options.target} was reached")
    print(as_json(run, tally) if options.json else as_text(run, tally))
    if options.summary is not None:
        _append(options, as_markdown(run, tally))
    return run.exit_code


async def _run(options: Options, progress: Progress) -> tuple[Run, Tally]:
    _cancel_on_signals()
    seed = secrets.randbelow(2**32) if options.seed is None else options.seed
    info = await reach_target(
        options.target, options.timeout, options.token, options.patience, progress.say
    )
    progress.keep(f"{options.target} serves model {info.version}; seed {seed}; Ctrl-C ends")
    started, tally = datetime.now(UTC), Tally()
    loop = asyncio.get_running_loop()
    start = loop.time()
    interrupted = await _send_all(options, info, seed, tally, progress)
    return (
        Run(
            target=options.target,
            model_version=info.version,
            seed=seed,
            rate=options.pace.rate,
            started=started,
            duration=loop.time() - start,
            interrupted=interrupted,
            exit_code=_exit_code(tally, options.max_failed),
        ),
        tally,
    )


async def _send_all(
    options: Options, info: ModelInfo, seed: int, tally: Tally, progress: Progress
) -> bool:
    """Sends the whole plan; True where a signal ended it earlier."""
    following = asyncio.create_task(progress.follow(tally))
    requests = plan_requests(info, seed, options.pace, options.mix)
    try:
        async with http_sender(options.target, options.timeout, options.token) as send:
            most = connections_allowed(options.max_in_flight)
            await run_open_loop(requests, send, tally, most)
    except asyncio.CancelledError:
        return True
    finally:
        following.cancel()
        progress.close()
    return False


def _exit_code(tally: Tally, max_failed: float) -> int:
    # A target that told its model but then answered nothing was as good as never reached.
    if tally.failed_share == 1 and not tally.answered:
        return NOT_REACHED
    return FAILED if tally.failed_share > max_failed else FINE


def _cancel_on_signals() -> None:
    """Ctrl-C and SIGTERM end what is under way at once, but the summary is still told."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None

    def end() -> None:
        # Only once: a process manager may send both signals, the second would end the summary.
        if not task.cancelling():
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows' event loop knows no signal handlers.
        try:
            loop.add_signal_handler(number, end)
        except NotImplementedError:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(end))


def _not_reached(options: Options, sentence: str) -> int:
    print(f"simulator: {sentence}", file=sys.stderr)
    if options.summary is not None:
        _append(options, f"## Simulator against {options.target}\n\nNot reached: {sentence}\n")
    return NOT_REACHED


def _append(options: Options, text: str) -> None:
    assert options.summary is not None
    with options.summary.open("a", encoding="utf-8") as file:
        file.write(text)
