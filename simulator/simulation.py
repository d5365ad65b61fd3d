"""One run from its start to its result: reaches the target, plans, sends requests and labels."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event

from simulator.contract.model_info import ModelInfo
from simulator.contract.vocabulary import FRAUD_BURST
from simulator.exit_codes import choose_exit_code
from simulator.options import Options
from simulator.replay.replay import Replay
from simulator.replay.replay_plan import plan_replay
from simulator.replay.rows import check_replay
from simulator.report.progress import Progress
from simulator.report.request_stats import RequestStats
from simulator.report.run_result import RunResult
from simulator.run.interruption import cancel_on_signals
from simulator.run.label_sender import LabelSender
from simulator.run.open_files import allow_connections
from simulator.run.open_loop import run_open_loop
from simulator.target.batch_limits import LABELS, read_batch_limit
from simulator.target.connection import TargetClient, connect
from simulator.target.feedback import DEFAULT_BATCH, build_feedback_sender
from simulator.target.high_score_samples import find_high_score_samples
from simulator.target.model_info_request import request_model_info
from simulator.target.predict import build_sender
from simulator.traffic.planned_request import PlannedRequest
from simulator.traffic.request_plan import TrafficSpec, plan_requests
from simulator.transactions.random_numbers import derive_random
from simulator.transactions.synthetic_process import matches_process
from simulator.transactions.transaction import SampledTransaction


async def run_simulation(options: Options, progress: Progress) -> RunResult:
    """Raises SimulatorError where nothing can be sent; a signal ends it early."""
    cancel_on_signals()
    seed = secrets.randbelow(2**32) if options.seed is None else options.seed
    target = options.address.url
    info = await request_model_info(options.address, options.wait_for_target, progress.show)
    progress.show_lasting(f"{target} serves model {info.version}; seed {seed}; Ctrl-C ends")
    started, simulation = datetime.now(UTC), _Simulation(options, info, seed, RequestStats())
    interrupted = await _run_until_interrupted(simulation, progress)
    stats = simulation.stats
    return RunResult(
        target=target,
        model_version=info.version,
        seed=seed,
        rate=options.load.rate,
        started=started,
        interrupted=interrupted,
        exit_code=choose_exit_code(stats, options.max_failed, interrupted),
        stats=stats,
        scenario=options.schedule.scenario,
        replayed=None if options.replay is None else str(options.replay.file),
        known_process=options.replay is None and matches_process(info),
    )


async def _run_until_interrupted(simulation: _Simulation, progress: Progress) -> bool:
    """Sends the whole plan; True where a signal ended it earlier."""
    following = asyncio.create_task(progress.follow(simulation.stats))
    try:
        async with connect(simulation.options.address) as client:
            await simulation.send_all(client)
    except asyncio.CancelledError:
        return True
    finally:
        following.cancel()
        progress.end_line()
    return False


async def _check_in_thread(info: ModelInfo, replay: Replay) -> None:
    """A signal ends it: the program would wait for the thread, minutes with a large table."""
    stopped = Event()
    try:
        await asyncio.to_thread(check_replay, info, replay, stopped.is_set)
    finally:
        stopped.set()


@dataclass(frozen=True)
class _Simulation:
    """What a run is made of once the target has described its model."""

    options: Options
    info: ModelInfo
    seed: int
    stats: RequestStats

    async def send_all(self, client: TargetClient) -> None:
        """Returns when every request and every label has come to its end."""
        requests = await self._plan(client)
        send = build_sender(client)
        max_in_flight = allow_connections(self.options.max_in_flight)
        if self.options.labels is None:
            await run_open_loop(requests, send, self.stats, max_in_flight)
            return
        labels = await self._build_label_sender(client)
        self.stats.labels = labels.stats
        sending = asyncio.create_task(labels.run())
        try:
            await run_open_loop(requests, send, self.stats, max_in_flight, labels.enqueue)
            await labels.drain(self.options.labels_wait)
            if sending.done():
                sending.result()  # Only an error of this program ends it earlier: it must be seen.
        finally:
            sending.cancel()
            labels.close()

    async def _plan(self, client: TargetClient) -> Iterator[PlannedRequest]:
        """What is to be sent; raises SimulatorError where that cannot be known."""
        options, replay = self.options, self.options.replay
        if replay is not None:
            await _check_in_thread(self.info, replay)
            return plan_replay(self.info, self.seed, options.load, replay, options.labels)
        samples = await self._find_high_score_samples(client)
        spec = TrafficSpec(options.load, options.invalid, options.schedule, options.labels, samples)
        return plan_requests(self.info, self.seed, spec)

    async def _find_high_score_samples(self, client: TargetClient) -> Sequence[SampledTransaction]:
        if self.options.schedule.scenario != FRAUD_BURST or matches_process(self.info):
            return []
        # The purpose is part of the seed: another word would be another run.
        return await find_high_score_samples(
            client, self.info, derive_random(self.seed, "suspects")
        )

    async def _build_label_sender(self, client: TargetClient) -> LabelSender:
        clock = asyncio.get_running_loop().time
        batch = await read_batch_limit(client, LABELS, DEFAULT_BATCH)
        hold_label = self.options.schedule.hold_label
        return LabelSender(build_feedback_sender(client), hold_label, clock, batch)
