"""One drill from its start to what came of it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.detection.drills import Drill
from bench.detection.panels import Stretch, alert_panels, find_stretches, left_green
from bench.detection.stage import Stage
from tests.lab.paths import ROOT
from tests.lab.webhook import Webhook, webhook_receiver

SEED = 20261124
WARM_UP_MINUTES = 20  # of the rules' clock, until the first requests and labels are in all windows


@dataclass(frozen=True)
class Result:
    """What came of a drill; times in minutes of the rules' clock.

    `fired`: alert -> from the fault's begin to its first message; negative where it came before.
    `resolved`: alert -> from the fault's end to the message that it is over.
    `left_green`: alert that was sent -> when the panel that it leads to left green, as `fired`;
    None when it was green. `restless`: panels that left green although nothing was wrong.
    """

    drill: Drill
    fired: Mapping[str, float]
    resolved: Mapping[str, float]
    sent: Mapping[str, Any] = field(default_factory=dict)
    left_green: Mapping[str, float | None] = field(default_factory=dict)
    restless: Sequence[str] = ()

    @property
    def late_panels(self) -> list[str]:
        """Alerts whose panel was still green when they were sent."""
        return [name for name, left in self.left_green.items() if left is None]

    @property
    def missed(self) -> list[str]:
        """What had to fire while the fault lasted and did not."""
        in_time = {name for name, after in self.fired.items() if after >= 0}
        return [name for name in self.drill.must if name not in in_time]

    @property
    def false_alarms(self) -> list[str]:
        """What fired before the fault, or is no consequence of it."""
        due = {*self.drill.must, *self.drill.may}
        return [name for name, after in self.fired.items() if after < 0 or name not in due]

    @property
    def passed(self) -> bool:
        """Everything that had to fire did, and nothing else; and the panels showed it."""
        panels = not self.late_panels and not self.restless
        return panels and not self.missed and not self.false_alarms


def run(drill: Drill, tools: Path, models: Path, scale: int, keep: Path | None = None) -> Result:
    """Raises what the stage raises when a program does not start."""
    with _open_folder(keep) as folder, webhook_receiver() as inbox:
        stage = Stage(tools, folder, models, scale, inbox)
        try:
            stage.start()
            return _play(drill, stage)
        finally:
            stage.stop()


@contextmanager
def _open_folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        yield Path(folder)


def _play(drill: Drill, stage: Stage) -> Result:
    second = 60 / stage.scale  # the length of one minute of the rules' clock
    traffic = _start_simulator(drill, stage, second)
    start = time.time()
    _sleep_until(start + drill.before * second)
    drill.begin(stage)
    _sleep_until(start + (drill.before + drill.lasts) * second)
    drill.end(stage)
    summary, problems = traffic.communicate(timeout=drill.minutes * second + 120)
    if not summary:
        raise RuntimeError(f"the simulator said nothing but: {problems[-2000:]}")
    sent = json.loads(summary)
    begin = start + drill.before * second
    end = begin + drill.lasts * second
    fired, resolved = read_inbox(stage.inbox, begin, end, second, drill.afterwards)
    seen = _look_at_panels(stage, start, end + drill.afterwards * second)
    left = {
        name: _minutes(left_green(seen[name], begin + after * second), begin, second)
        for name, after in fired.items()
    }
    restless = [] if drill.must else sorted(name for name, stretches in seen.items() if stretches)
    return Result(drill, fired, resolved, sent, left, restless)


def _look_at_panels(stage: Stage, start: float, end: float) -> dict[str, list[Stretch]]:
    """Stretches in which the panel of each alert was not green, the first minutes left out."""
    first = start + WARM_UP_MINUTES * 60 / stage.scale
    return {
        alert: find_stretches(stage.prometheus, panel, first, end, stage.scale)
        for alert, panel in alert_panels().items()
    }


def _minutes(moment: float | None, begin: float, second: float) -> float | None:
    return None if moment is None else (moment - begin) / second


def read_inbox(
    inbox: Webhook, begin: float, end: float, second: float, afterwards: float
) -> tuple[dict[str, float], dict[str, float]]:
    """What fired and what was resolved, as Result has them; moments in seconds since 1970."""
    fired: dict[str, float] = {}
    resolved: dict[str, float] = {}
    for message in inbox.messages:
        if message.at > end + afterwards * second:
            # The traffic has ended, and that is an outage as seen from here.
            continue
        if message.firing:
            fired.setdefault(message.alert, (message.at - begin) / second)
        elif message.at > end:
            resolved.setdefault(message.alert, (message.at - end) / second)
    return fired, resolved


def _start_simulator(drill: Drill, stage: Stage, second: float) -> subprocess.Popen[str]:
    options = {
        "url": stage.handler.url,
        "seed": SEED,
        "rate": drill.rate,
        "duration": drill.minutes * second,
        "scenario": drill.scenario,
        "scenario-after": drill.before * second,
        "scenario-for": drill.lasts * second,
        "labels-after": drill.label_delay * second,
        "max-failed": 1,
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return subprocess.Popen(
        [sys.executable, "-m", "simulator", *arguments, "--json", "--quiet"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))
