"""The plan of a replay: a request for each row of a table, in its order and at its pace."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice

from simulator.contract.model_info import ModelInfo
from simulator.replay.replay import Replay
from simulator.replay.rows import ReplayRow, read_replay_rows
from simulator.traffic.arrivals import LoadProfile
from simulator.traffic.delayed_labels import LabelDelay, LabelDraw, PlannedLabel, draw_labels
from simulator.traffic.planned_request import PlannedRequest
from simulator.transactions.random_numbers import derive_random
from simulator.transactions.transaction import encode_transaction


def plan_replay(
    info: ModelInfo, seed: int, load: LoadProfile, replay: Replay, labels: LabelDelay | None
) -> Iterator[PlannedRequest]:
    """A request for each row, its label after the delay that `labels` says, whatever `speed`.

    Raises ReplayError while it is read, as `read_replay_rows` does.
    """
    return islice(_plan_rows(info, seed, load, replay, labels), load.count)


def _plan_rows(
    info: ModelInfo, seed: int, load: LoadProfile, replay: Replay, labels: LabelDelay | None
) -> Iterator[PlannedRequest]:
    arrivals = load.generate_arrivals(seed)
    draws = draw_labels(labels or LabelDelay(0, share=0), derive_random(seed, "labels"))
    first: float | None = None
    for number, row in enumerate(read_replay_rows(info, replay)):
        if row.time is None:
            due = next(arrivals, math.inf)
        else:
            first = row.time.seconds if first is None else first
            due = (row.time.seconds - first) / replay.speed
        if due == math.inf or due >= (load.duration or math.inf):
            return
        label = _plan_label(row, next(draws))
        yield PlannedRequest(number, due, encode_transaction(row.transaction), label=label)


def _plan_label(row: ReplayRow, draw: LabelDraw) -> PlannedLabel | None:
    if draw.delay is None or row.true_class is None:
        return None
    return PlannedLabel(draw.delay, row.true_class, draw.uniform)
