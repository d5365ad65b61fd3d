"""A day that differs from the day before, for real: `python -m bench.detection.real_data FILE`.

FILE is the credit-card set (columns Time, V1 ... V28, Amount, Class). The model is trained on two
thirds of its first day; replayed are the other third, in which nothing may fire, and then the
second day. The rows of each day come in an order of chance, and of the second day's frauds only so
many that their share is the first day's: the sample has its rows from all over the two days
unevenly, which is no property of the world.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from bench.detection.run import SEED, read_inbox
from bench.detection.stage import Stage
from tests.lab.paths import ROOT
from tests.lab.tools import tools_folder
from tests.lab.webhook import webhook_receiver

SCALE = 60
SECOND = 60 / SCALE
RATE = 10
DAY = 86_400


def split(file: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Rows for training, of day 1 held out, and of day 2; each in an order of chance."""
    rows = pd.read_csv(file)
    first, second = rows[rows["Time"] < DAY], rows[rows["Time"] >= DAY]
    share = first["Class"].mean()
    legitimate, frauds = second[second["Class"] == 0], second[second["Class"] == 1]
    kept = frauds.sample(round(share / (1 - share) * len(legitimate)), random_state=SEED)
    held_out = first.iloc[::3].sample(frac=1, random_state=SEED)
    training = first.drop(held_out.index).sample(frac=1, random_state=SEED)
    return training, held_out, pd.concat([legitimate, kept]).sample(frac=1, random_state=SEED)


def main() -> int:
    """Prints what fired and when, in minutes of the rules' clock; 1 if anything did on day 1."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.detection.real_data", description=__doc__
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    training, held_out, second = split(parser.parse_args().file)
    with tempfile.TemporaryDirectory(prefix="real-data-") as name:
        folder = Path(name)
        training.to_csv(folder / "training.csv", index=False)
        days = pd.concat([held_out, second])
        days["moment"] = [number / RATE for number in range(len(days))]
        days.to_csv(folder / "days.csv", index=False)
        _train(folder)
        with webhook_receiver() as inbox:
            stage = Stage(tools_folder(), folder, folder / "models", SCALE, inbox)
            try:
                stage.start()
                sent = _replay(stage, folder / "days.csv")
            finally:
                stage.stop()
    start = datetime.fromisoformat(sent["started_at"]).timestamp()
    change, end = start + len(held_out) / RATE, start + len(days) / RATE
    fired, _ = read_inbox(inbox, change, end, SECOND, 0)
    for day, rows in {"day 1": held_out, "day 2": second}.items():
        minutes = len(rows) / RATE / SECOND
        print(f"{day}: {len(rows)} rows, {rows['Class'].sum()} frauds, {minutes:.0f} minutes")
    print(f"answered {sent['answered']}, labels {sent['labels']['by_result']}")
    for alert, after in sorted(fired.items(), key=lambda pair: pair[1]):
        print(f"{alert}: {after:+.0f} min from the change of day")
    return 1 if any(after < 0 for after in fired.values()) else 0


def _train(folder: Path) -> None:
    subprocess.run(
        [
            sys.executable, "-m", "model", "train", "--models", str(folder / "models"),
            "--data", str(folder / "training.csv"), "--target", "Class", "--drop", "Time",
            "--value", "Amount",
        ],
        cwd=ROOT, check=True, stdout=sys.stderr,
    )  # fmt: skip


def _replay(stage: Stage, file: Path) -> dict[str, Any]:
    done = subprocess.run(
        [
            sys.executable, "-m", "simulator", "--url", stage.handler.url, "--seed", str(SEED),
            "--replay", str(file), "--target", "Class", "--time", "moment",
            "--labels-after", str(5 * SECOND), "--json", "--quiet",
        ],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


if __name__ == "__main__":
    sys.exit(main())
