"""The command line: what can be said, with which defaults, checked before anything is sent."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from simulator.replay.replay_plan import Replay
from simulator.run.label_sender import MOST_WAITING
from simulator.traffic.delayed_labels import Labels
from simulator.traffic.request_plan import Mix, Pace
from simulator.traffic.scenarios import CONCEPT, LATE_LABELS, NAMES, STEADY, Course, described

DEFAULT_TARGET: Final = "http://localhost:5000"
USUAL_FAULTY: Final = 0.02

DESCRIPTION: Final = """\
Sends transactions to a scoring service, as its customers would, and tells what came back.

What is sent follows from the target's own GET /model_info: its features, their ranges and their
distribution in training. Customers are premium, standard and basic where the model knows them.
A share of the requests is faulty, of several kinds, each to be refused with its status.

For the default model rows come from the documented process of its data. For any other model each
feature is drawn for itself: single features are as in training, scores need not be, so alerts on
scores may fire in steady traffic. --replay sends rows that belong together.

With --labels-after the truth about the predictions is told too, by POST /feedback. For the default
model it follows from that process too, so live figures are those of the holdout.
For any other model nobody here knows the truth: it is drawn with the fraud_probability that the
model itself answered, a world in which the model is calibrated by construction. Its live quality
then says nothing about the model; real truth comes with --replay.

Without options: one request every 1 to 5 seconds, until Ctrl-C.
"""

EPILOG: Final = """\
The same seed and the same model give the same requests at the same times, byte by byte. Requests
never wait for answers: a slow target does not slow them, and latency counts from when a request
was due. No transaction is sent twice. One that is due while --max-in-flight are under way, or that
this machine is too busy to send within a second, is left out and counted as not sent.

scenarios, and the alerts that belong to them:
SCENARIOS
Each begins --scenario-after the start and lasts --scenario-for; before and afterwards it is steady.
slow and errors need a service that was started with FAULT_HEADERS=on, never one with a public
address; where it does not obey, the summary says so and the exit code is 3.

At the end of the run labels that fall due within --labels-wait are waited for; the others are sent
at once, earlier than they were due, and counted as early. What waits is bounded at WAITING labels;
further ones are left out and counted. Undelivered labels are sent again.

A replay is read once before anything is sent; a cell that cannot be used stops it with a sentence.
An empty cell is sent as null, and a row without truth gets no label. What the service refuses of
the rows counts as not as it should be.

environment:
  SIMULATOR_TARGET   the address of the target where --url is not given
  ACCESS_TOKEN       sent as bearer token where it is not empty

exit codes:
  0  the target was reached and answered as it should (also when ended by Ctrl-C or SIGTERM)
  1  the target was never reached, or is no scoring service
  2  wrong usage
  3  more than --max-failed of the requests got no answer, or not the status that they should; or
     as many of the labels were not counted, or as many requests to misbehave were ignored

examples:
  python -m simulator                                        watch it for a while
  python -m simulator --rate 50 --duration 60 --seed 7       a minute of known traffic
  python -m simulator --count 60 --duration 240 --json       one round of a schedule
  python -m simulator --rate 20 --labels-after 60 --scenario concept --scenario-after 600
  python -m simulator --replay day2.csv --target Class --time Time --speed 60 --labels-after 60
"""


@dataclass(frozen=True)
class Options:
    """A checked command line; times in seconds, `max_failed` a share. `seed` None: any."""

    target: str
    token: str
    pace: Pace
    mix: Mix
    course: Course
    labels: Labels | None
    replay: Replay | None
    labels_wait: float
    seed: int | None
    timeout: float
    max_in_flight: int
    patience: float
    max_failed: float
    json: bool
    quiet: bool
    summary: Path | None


def read_options(arguments: Sequence[str], environ: Mapping[str, str]) -> Options:
    """Ends the program with code 2 and one sentence where something cannot be used."""
    parser = _parser()
    said = parser.parse_args(arguments)
    try:
        target = _target(said.url or environ.get("SIMULATOR_TARGET") or DEFAULT_TARGET)
    except argparse.ArgumentTypeError as error:
        parser.error(f"the target {error}")
    if said.summary is not None and not said.summary.absolute().parent.is_dir():
        parser.error(f"--summary must be in a folder that exists, got {str(said.summary)!r}")
    return Options(
        target=target,
        token=environ.get("ACCESS_TOKEN", "").strip(),
        pace=Pace(said.rate, said.count, said.duration),
        mix=Mix(_faulty(parser, said), said.large_body),
        course=Course(said.scenario, said.scenario_after, said.scenario_for),
        labels=_labels(parser, said),
        replay=_replay(parser, said),
        labels_wait=said.labels_wait,
        seed=said.seed,
        timeout=said.timeout,
        max_in_flight=said.max_in_flight,
        patience=said.wait_for_target,
        max_failed=said.max_failed,
        json=said.json,
        quiet=said.quiet,
        summary=said.summary,
    )


def _faulty(parser: argparse.ArgumentParser, said: argparse.Namespace) -> float:
    if said.replay is None:
        return USUAL_FAULTY if said.faulty is None else float(said.faulty)
    if said.faulty:
        parser.error("--replay sends what is in the file: --faulty does not go with it")
    return 0.0


def _replay(parser: argparse.ArgumentParser, said: argparse.Namespace) -> Replay | None:
    if said.replay is None:
        if said.target is not None:
            parser.error(
                "--target is the column of the truth in the file of --replay;"
                " the service's address is --url"
            )
        for name in ("time", "speed", "rows"):
            if getattr(said, name) is not None:
                parser.error(f"--{name} is about the file of --replay")
        return None
    if said.scenario != STEADY:
        parser.error("--replay sends what is in the file: --scenario does not go with it")
    if not said.replay.is_file():
        parser.error(f"--replay must be a file that exists, got {str(said.replay)!r}")
    if said.time is not None and said.rate is not None:
        parser.error("--time and --rate both say the pace of a replay: give one of them")
    if said.speed is not None and said.time is None:
        parser.error("--speed is about the pace of the column --time")
    first, end = said.rows or (0, None)
    return Replay(said.replay, said.target, said.time, said.speed or 1.0, first, end)


def _labels(parser: argparse.ArgumentParser, said: argparse.Namespace) -> Labels | None:
    if said.replay is not None and said.target is None and said.labels_after is not None:
        parser.error("--labels-after needs --target: the truth of a replay is a column of its file")
    if said.target is not None:
        share = 1.0 if said.labels is None else said.labels
        return Labels(said.labels_after or 0.0, share)
    if said.labels_after is not None:
        return Labels(said.labels_after, 1.0 if said.labels is None else said.labels)
    if said.labels is not None:
        parser.error("--labels needs --labels-after")
    if said.scenario in (CONCEPT, LATE_LABELS):
        parser.error(f"--scenario {said.scenario} is about labels: it needs --labels-after")
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description=DESCRIPTION,
        epilog=EPILOG.replace("SCENARIOS", described()).replace("WAITING", f"{MOST_WAITING:,}"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    # Not from the environment here: its value must be checked, and named, in one place.
    parser.add_argument(
        "--url", metavar="URL", help=f"the service's address (default {DEFAULT_TARGET})"
    )
    what = parser.add_argument_group("what is sent")
    what.add_argument(
        "--rate", type=_above_zero, metavar="R", help="R requests a second, at random times"
    )
    what.add_argument("--count", type=_whole(1), metavar="N", help="end after N requests")
    what.add_argument("--duration", type=_above_zero, metavar="SECONDS", help="end after this time")
    what.add_argument("--seed", type=_whole(0), help="which requests (default: others each time)")
    what.add_argument(
        "--faulty",
        type=_share,
        metavar="SHARE",
        help=f"share of faulty requests (default {USUAL_FAULTY}, 0 in a replay)",
    )
    what.add_argument(
        "--large-body",
        type=_whole(1),
        default=300_000,
        metavar="BYTES",
        help="size of a too large request; above the target's MAX_BODY_BYTES (default 300000)",
    )
    _add_scenarios(parser.add_argument_group("what happens to it"))
    _add_labels(parser.add_argument_group("what becomes known later"))
    _add_replay(parser.add_argument_group("the rows of a file instead"))
    how = parser.add_argument_group("how")
    how.add_argument(
        "--timeout",
        type=_above_zero,
        default=10.0,
        metavar="SECONDS",
        help="a request without an answer is given up after this (default 10)",
    )
    how.add_argument(
        "--max-in-flight",
        type=_whole(1),
        default=1000,
        metavar="N",
        help="with N requests under way, further ones are left out (default 1000)",
    )
    how.add_argument(
        "--wait-for-target",
        type=_zero_or_more,
        default=0.0,
        metavar="SECONDS",
        help="how long to wait for a target that does not answer yet (default 0)",
    )
    said = parser.add_argument_group("what is told")
    said.add_argument("--json", action="store_true", help="the summary as JSON, every count in it")
    said.add_argument("--summary", type=Path, metavar="FILE", help="append it to FILE as Markdown")
    said.add_argument("--quiet", action="store_true", help="no progress, only the summary")
    said.add_argument(
        "--max-failed",
        type=_share,
        default=0.1,
        metavar="SHARE",
        help="exit with 3 where more than this share failed (default 0.1)",
    )
    return parser


def _add_scenarios(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--scenario", choices=NAMES, default=STEADY, metavar="NAME", help="see below (steady)"
    )
    group.add_argument(
        "--scenario-after",
        type=_zero_or_more,
        default=0.0,
        metavar="SECONDS",
        help="steady traffic before it (default 0)",
    )
    group.add_argument(
        "--scenario-for",
        type=_above_zero,
        metavar="SECONDS",
        help="how long it lasts (default: to the end)",
    )


def _add_labels(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--labels-after",
        type=_zero_or_more,
        metavar="SECONDS",
        help="labels come so late on average, evenly from half to one and a half of it"
        " (default: no labels)",
    )
    group.add_argument(
        "--labels",
        type=_share,
        metavar="SHARE",
        help="share of the predictions that get a label (default 1)",
    )
    group.add_argument(
        "--labels-wait",
        type=_zero_or_more,
        default=30.0,
        metavar="SECONDS",
        help="how long to wait for labels at the end of the run (default 30)",
    )


def _add_replay(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--replay",
        type=Path,
        metavar="FILE",
        help="send its rows in their order: CSV, CSV.gz or Parquet with a column for each feature",
    )
    group.add_argument(
        "--target",
        metavar="COLUMN",
        help="its truth, 1 or fraud, 0 or legitimate; labels come --labels-after (default 0)",
    )
    group.add_argument(
        "--time", metavar="COLUMN", help="its pace, in seconds or dates (default: as --rate says)"
    )
    group.add_argument(
        "--speed",
        type=_above_zero,
        metavar="N",
        help="N times as fast as --time says; delays of labels stay as they are (default 1)",
    )
    group.add_argument(
        "--rows", type=_rows, metavar="A:B", help="only rows from A up to before B, the first is 0"
    )


def _rows(text: str) -> tuple[int, int | None]:
    first, colon, end = text.partition(":")
    usable = colon and all(part == "" or part.isdecimal() for part in (first, end))
    if not usable or (end and int(end) <= int(first or 0)):
        raise argparse.ArgumentTypeError(
            f"must be A:B, A: or :B with whole numbers, A below B, got {text!r}"
        )
    return int(first or 0), int(end) if end else None


def _target(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable or parts.query or parts.fragment:
        raise argparse.ArgumentTypeError(
            f"must be an address as http://localhost:5000 or https://…, got {text!r}"
        )
    return text.rstrip("/")


def _whole(least: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise argparse.ArgumentTypeError(
                f"must be a whole number of at least {least}, got {text!r}"
            )
        return number

    return convert


def _above_zero(text: str) -> float:
    number = _finite(text)
    if number is None or number <= 0:
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text!r}")
    return number


def _zero_or_more(text: str) -> float:
    number = _finite(text)
    if number is None or number < 0:
        raise argparse.ArgumentTypeError(f"must be a number of at least 0, got {text!r}")
    return number


def _share(text: str) -> float:
    number = _finite(text)
    if number is None or not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"must be a share from 0 to 1, got {text!r}")
    return number


def _finite(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
