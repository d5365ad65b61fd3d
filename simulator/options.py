"""A checked command line: what the options need of each other, before anything is sent."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.command_line.environment import read_address
from simulator.command_line.parser import DEFAULT_FAULTY, build_parser
from simulator.contract.vocabulary import CONCEPT, LATE_LABELS, STEADY
from simulator.replay.replay import Replay
from simulator.target.connection import TargetAddress
from simulator.traffic.arrivals import LoadProfile
from simulator.traffic.delayed_labels import LabelDelay
from simulator.traffic.invalid_share import InvalidShare
from simulator.traffic.scenarios import ScenarioSchedule


@dataclass(frozen=True)
class Options:
    """Times in seconds, `max_failed` a share. `seed` None: any; `labels` None: no labels."""

    address: TargetAddress
    load: LoadProfile
    invalid: InvalidShare
    schedule: ScenarioSchedule
    labels: LabelDelay | None
    replay: Replay | None
    labels_wait: float
    seed: int | None
    max_in_flight: int
    wait_for_target: float
    max_failed: float
    json: bool
    quiet: bool
    summary: Path | None


def read_options(arguments: Sequence[str], environ: Mapping[str, str]) -> Options:
    """Ends the program with code 2 and one sentence where something cannot be used."""
    parser = build_parser()
    parsed = parser.parse_args(arguments)
    try:
        address = read_address(parsed.url, parsed.timeout, environ)
    except ValueError as error:
        parser.error(str(error))
    _check_summary(parser, parsed.summary)
    return Options(
        address=address,
        load=LoadProfile(parsed.rate, parsed.count, parsed.duration),
        invalid=InvalidShare(_read_invalid_share(parser, parsed), parsed.large_body),
        schedule=ScenarioSchedule(parsed.scenario, parsed.scenario_after, parsed.scenario_for),
        labels=_read_labels(parser, parsed),
        replay=_read_replay(parser, parsed),
        labels_wait=parsed.labels_wait,
        seed=parsed.seed,
        max_in_flight=parsed.max_in_flight,
        wait_for_target=parsed.wait_for_target,
        max_failed=parsed.max_failed,
        json=parsed.json,
        quiet=parsed.quiet,
        summary=parsed.summary,
    )


def _check_summary(parser: ArgumentParser, summary: Path | None) -> None:
    """Before the run, as it is written after it."""
    if summary is None:
        return
    folder = summary.absolute().parent
    if not folder.is_dir():
        parser.error(f"--summary must be in a folder that exists, got {str(summary)!r}")
    written = summary if summary.exists() else folder
    if summary.is_dir() or not os.access(written, os.W_OK):
        parser.error(f"--summary must be a file that can be written, got {str(summary)!r}")


def _read_invalid_share(parser: ArgumentParser, parsed: Namespace) -> float:
    if parsed.replay is None:
        return DEFAULT_FAULTY if parsed.faulty is None else float(parsed.faulty)
    if parsed.faulty:
        parser.error("--replay sends what is in the file: --faulty does not go with it")
    return 0.0


def _read_replay(parser: ArgumentParser, parsed: Namespace) -> Replay | None:
    if parsed.replay is None:
        _refuse_replay_options(parser, parsed)
        return None
    if parsed.scenario != STEADY:
        parser.error("--replay sends what is in the file: --scenario does not go with it")
    if not parsed.replay.is_file():
        parser.error(f"--replay must be a file that exists, got {str(parsed.replay)!r}")
    if parsed.time is not None and parsed.rate is not None:
        parser.error("--time and --rate both say the pace of a replay: give one of them")
    if parsed.speed is not None and parsed.time is None:
        parser.error("--speed is about the pace of the column --time")
    first, end = parsed.rows or (0, None)
    return Replay(parsed.replay, parsed.target, parsed.time, parsed.speed or 1.0, first, end)


def _refuse_replay_options(parser: ArgumentParser, parsed: Namespace) -> None:
    if parsed.target is not None:
        parser.error(
            "--target is the column of the true classes in the file of --replay;"
            " the service's address is --url"
        )
    for name in ("time", "speed", "rows"):
        if getattr(parsed, name) is not None:
            parser.error(f"--{name} is about the file of --replay")


def _read_labels(parser: ArgumentParser, parsed: Namespace) -> LabelDelay | None:
    if parsed.replay is not None and parsed.target is None and parsed.labels_after is not None:
        parser.error(
            "--labels-after needs --target: the labels of a replay are a column of its file"
        )
    if parsed.target is not None or parsed.labels_after is not None:
        share = 1.0 if parsed.labels is None else parsed.labels
        return LabelDelay(parsed.labels_after or 0.0, share)
    if parsed.labels is not None:
        parser.error("--labels needs --labels-after")
    if parsed.scenario in (CONCEPT, LATE_LABELS):
        parser.error(f"--scenario {parsed.scenario} is about labels: it needs --labels-after")
    return None
