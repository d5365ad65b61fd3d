"""Three nodes of Cortex beside one Prometheus, both fed the same; nodes are killed under load.

Counts that the client was answered are compared with those that the nodes hold, and every
expression of the rules is evaluated at the same moments on both. Writes docs/store_drill.md.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.own_models import add_models_option, find_models
from bench.scale.store_compare import (
    compare,
    compare_recorded,
    count_events,
    read_rules,
    split_rules,
)
from bench.scale.store_load import Client
from bench.scale.store_report import Result, Usage, measure_usage, write_page
from bench.scale.store_stage import Stage, open_stage

AWAY = 15.0  # seconds that nodes are gone
WARM = 45.0
BETWEEN = 30.0
SETTLE = 90.0
RECORDED = 75.0  # the rules' offset, their interval, and some
PREDICTED = 'predictions_total{endpoint="/predict"}'
LABELLED = 'feedback_total{result="counted"}'


def run(arguments: Sequence[str]) -> int:
    """The drill: 0 when nothing was lost and nothing differs, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale store", description=__doc__)
    add_models_option(parser)
    parser.add_argument("--no-page", action="store_true", help="print the figures only")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = find_models(options.models, folder)
        result = _drill(folder, models)
    print(result.describe())
    if not options.no_page:
        write_page(result)
    return 0 if result.is_clean else 1


def _drill(folder: Path, models: Path) -> Result:
    with open_stage(folder, models) as stage:
        client = Client(stage.handler.url)
        began = time.time()
        client.start()
        before = measure_usage(stage)
        _say("load begins")
        time.sleep(WARM)
        moments = [*_one_killed(stage, client), *_two_killed(stage)]
        time.sleep(BETWEEN)
        client.stop()
        moments.append(time.time() - 5)
        usage = measure_usage(stage, before)
        _say("load has ended")
        return _compare(stage, client, began, moments, usage)


def _one_killed(stage: Stage, client: Client) -> list[float]:
    """The first node; meanwhile the handler loses its counters."""
    node = stage.cortex.nodes[0]
    node.kill()
    killed = time.time()
    _say("one node is killed")
    time.sleep(AWAY / 3)
    client.pause()
    stage.restart_handler_from_zero()
    client.resume()
    _say("the handler began anew")
    time.sleep(max(0.0, killed + AWAY - time.time()))
    node.start()
    _say("it is back")
    time.sleep(BETWEEN)
    return [killed - 5, killed + AWAY / 2, killed + AWAY + 5]


def _two_killed(stage: Stage) -> list[float]:
    """No quorum: nothing can be written or asked."""
    gone = stage.cortex.nodes[:2]
    for node in gone:
        node.kill()
    killed = time.time()
    _say("two nodes are killed")
    time.sleep(AWAY)
    for node in gone:
        node.launch()
    for node in gone:
        node.wait_until_ready()
    _say("they are back")
    return [killed + AWAY / 2]


def _compare(
    stage: Stage, client: Client, began: float, moments: list[float], usage: list[Usage]
) -> Result:
    seconds = int(time.time() - began) + 300
    deadline = time.monotonic() + SETTLE
    wanted = (client.predicted, client.labelled)

    def held() -> tuple[float, float]:
        every = (count_events(stage.cortex, each, seconds) for each in (PREDICTED, LABELLED))
        predicted, labelled = every
        return predicted, labelled

    while (found := held()) != wanted and time.monotonic() < deadline:
        time.sleep(2)
    # Until rules have recorded what belongs to the last moment, on every node.
    time.sleep(max(0.0, max(moments) + RECORDED - time.time()))
    raw, derived = split_rules(read_rules())
    _say(f"{len(raw)} and {len(derived)} expressions are compared at {len(moments)} moments")
    return Result(
        client=wanted,
        unanswered=client.unanswered,
        held=found,
        raw=compare(raw, moments, stage.cortex, stage.reference),
        derived=compare(derived, moments, stage.cortex, stage.reader),
        recorded=compare_recorded(raw, seconds, stage.cortex, stage.reference),
        usage=usage,
    )


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)
