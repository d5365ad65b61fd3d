"""The composition root: reads the command line and the environment, runs, tells, exits."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import aiohttp

from simulator.contract.errors import TargetError
from simulator.contract.model_info import ModelInfo
from simulator.options.command_line import Options, read_options
from simulator.replay.replay_plan import check_replay, replay_requests
from simulator.report.progress import Progress
from simulator.report.request_stats import Tally
from simulator.report.summary_table import Run, as_json, as_markdown, as_text
from simulator.run.label_sender import LabelDesk
from simulator.run.open_files import connections_allowed
from simulator.run.open_loop import run_open_loop
from simulator.target.batch_limits import LABELS, most_in_batch
from simulator.target.feedback import USUAL_BATCH, feedback_poster
from simulator.target.high_score_samples import find_suspects
from simulator.target.model_info_request import reach_target
from simulator.target.predict import http_sender, session
from simulator.traffic.request_plan import PlannedRequest, plan_requests, stream
from simulator.traffic.scenarios import FRAUD_BURST
from simulator.transactions import synthetic_process as process
from simulator.transactions.marginal_source import Drawn

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
    interrupted = await _send_all(options, info, seed, tally, progress)
    return (
        Run(
            target=options.target,
            model_version=info.version,
            seed=seed,
            rate=options.pace.rate,
            started=started,
            duration=tally.duration,
            interrupted=interrupted,
            exit_code=_exit_code(tally, options.max_failed, interrupted),
            scenario=options.course.scenario,
            replayed=None if options.replay is None else str(options.replay.file),
            known_process=options.replay is None and process.is_of_process(info),
        ),
        tally,
    )


async def _send_all(
    options: Options, info: ModelInfo, seed: int, tally: Tally, progress: Progress
) -> bool:
    """Sends the whole plan; True where a signal ended it earlier."""
    following = asyncio.create_task(progress.follow(tally))
    try:
        async with session(options.timeout, options.token) as client:
            await _send_with_labels(options, info, seed, tally, client)
    except asyncio.CancelledError:
        return True
    finally:
        following.cancel()
        progress.close()
    return False


async def _send_with_labels(
    options: Options, info: ModelInfo, seed: int, tally: Tally, client: aiohttp.ClientSession
) -> None:
    requests = await _requests(options, info, seed, client)
    send = http_sender(client, options.target)
    most = connections_allowed(options.max_in_flight)
    if options.labels is None:
        await run_open_loop(requests, send, tally, most)
        return
    batch = await most_in_batch(client, options.target, LABELS, USUAL_BATCH)
    post = feedback_poster(client, options.target)
    desk = LabelDesk(post, options.course.label_due, asyncio.get_running_loop().time, batch)
    tally.labels = desk.tally
    sending = asyncio.create_task(desk.run())
    try:
        await run_open_loop(requests, send, tally, most, desk.take)
        await desk.finish(options.labels_wait)
        if sending.done():
            sending.result()  # Only an error of this program ends it earlier: it must be seen.
    finally:
        sending.cancel()
        desk.close()


async def _requests(
    options: Options, info: ModelInfo, seed: int, client: aiohttp.ClientSession
) -> Iterator[PlannedRequest]:
    """What is to be sent; raises TargetError where that cannot be known."""
    if options.replay is not None:
        await asyncio.to_thread(check_replay, info, options.replay)
        return replay_requests(info, seed, options.pace, options.replay, options.labels)
    suspects = await _suspects(options, info, seed, client)
    return plan_requests(
        info, seed, options.pace, options.mix, options.course, options.labels, suspects
    )


async def _suspects(
    options: Options, info: ModelInfo, seed: int, client: aiohttp.ClientSession
) -> list[Drawn]:
    if options.course.scenario != FRAUD_BURST or process.is_of_process(info):
        return []
    return await find_suspects(client, options.target, info, stream(seed, "suspects"))


def _exit_code(tally: Tally, max_failed: float, interrupted: bool) -> int:
    # A target that told its model but then answered nothing was as good as never reached.
    if tally.failed_share == 1 and not tally.answered:
        return NOT_REACHED
    shares = [tally.failed_share, tally.ignored / tally.asked if tally.asked else 0.0]
    if tally.labels is not None and not interrupted:
        shares.append(tally.labels.failed_share)
    return FAILED if max(shares) > max_failed else FINE


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
