"""Makes the virtual environments from the hash-locked requirement files: .venv/<name>.

    python3 -m stack.environments serve train ops dev peers

An environment is made once and again when its lock file, Python's version or the folder's place
changes. Its stamp is written last, so what an interruption left behind is made anew.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from stack.errors import StackError
from stack.file_lock import lock
from stack.progress import ProgressDisplay, Task
from stack.subprocesses import SubprocessRunner

LOCK_FILES = {
    "serve": "requirements.txt",
    "train": "requirements/train.txt",
    "ops": "requirements/ops.txt",
    "dev": "requirements/dev.txt",
    "peers": "requirements/peers.txt",
    "peers-bentoml": "requirements/peers-bentoml.txt",
    "peers-mlserver": "requirements/peers-mlserver.txt",
}
OLDEST_PYTHON = (3, 11)
STAMP = "made-from"
_REQUIREMENT = re.compile(r"^[A-Za-z0-9][\w.\[\]-]*==", re.MULTILINE)
_COLLECTING = re.compile(r"^Collecting ([^=\s]+)")


def python_of(root: Path, name: str) -> Path:
    """The interpreter of the environment `name`."""
    return root / ".venv" / name / "bin" / "python"


def compute_stamp(root: Path, name: str) -> str:
    """What the environment is made from: lock file, Python version, place."""
    made_from = hashlib.sha256((root / LOCK_FILES[name]).read_bytes())
    place = (root / ".venv" / name).resolve()
    made_from.update(f"{sys.version_info[:2]} {sys.platform} {place}".encode())
    return made_from.hexdigest()


def is_current(root: Path, name: str) -> bool:
    """True when the environment is whole and made from the present lock file."""
    stamp = root / ".venv" / name / STAMP
    try:
        return stamp.read_text() == compute_stamp(root, name) and python_of(root, name).exists()
    except FileNotFoundError:
        return False


def make(root: Path, name: str, task: Task, runner: SubprocessRunner) -> None:
    """Makes the environment anew from its lock file; every package must have a locked hash."""

    def show_wait() -> None:
        runner.check()
        task.update("waiting for another start")

    with lock(root / ".venv" / f"{name}.lock", show_wait):
        if is_current(root, name):
            return
        folder = root / ".venv" / name
        (folder / STAMP).unlink(missing_ok=True)
        task.update("making the virtual environment")
        # --clear: a package that left the lock file must leave the environment too.
        _run(
            runner,
            root,
            f"making {folder}",
            [sys.executable, "-m", "venv", "--clear", str(folder)],
        )
        _install(root, name, task, runner)
        (folder / STAMP).write_text(compute_stamp(root, name))


def _install(root: Path, name: str, task: Task, runner: SubprocessRunner) -> None:
    lock_file = LOCK_FILES[name]
    total = len(_REQUIREMENT.findall((root / lock_file).read_text()))
    meter = InstallProgress(task, total)
    pip = [str(python_of(root, name)), "-m", "pip", "install", "--require-hashes", "--no-input"]
    pip += ["--disable-pip-version-check", "--progress-bar", "off", "--no-compile", "-r", lock_file]
    what = f"installing {lock_file} into .venv/{name}"
    runner.run(what, pip, cwd=root, on_line=meter.read)


class InstallProgress:
    """Reads pip's lines and shows how far the installation is."""

    def __init__(self, task: Task, total: int) -> None:
        self._task = task
        self._total = total
        self._seen = 0
        task.update(f"0/{total} packages")

    def read(self, line: str) -> None:
        """One line of `pip install`."""
        if collecting := _COLLECTING.match(line):
            self._seen += 1
            self._task.update(f"{self._seen}/{self._total} packages, {collecting[1]}")
        elif line.startswith("Installing collected packages"):
            self._task.update(f"installing {self._seen} packages")


def _run(runner: SubprocessRunner, root: Path, what: str, command: Sequence[str]) -> None:
    try:
        runner.run(what, command, cwd=root)
    except OSError as error:
        raise StackError(f"{what} failed: {error}") from None


def ensure(
    root: Path, names: Iterable[str], display: ProgressDisplay, runner: SubprocessRunner
) -> None:
    """Makes those of the environments that are missing, broken or out of date, one by one."""
    for name in names:
        if is_current(root, name):
            continue
        with display.show(f"environment {name}", failed="not made") as task:
            make(root, name, task, runner)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when every environment asked for is ready."""
    parser = argparse.ArgumentParser(prog="python -m stack.environments", description=__doc__)
    parser.add_argument(
        "names", nargs="+", choices=sorted(LOCK_FILES), metavar="name", help=", ".join(LOCK_FILES)
    )
    names = parser.parse_args(arguments).names
    runner = SubprocessRunner()
    try:
        if sys.version_info < OLDEST_PYTHON:
            raise StackError(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}.")
        with ProgressDisplay() as display:
            ensure(Path(__file__).resolve().parents[1], names, display, runner)
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        runner.cancel()
        print("Interrupted; the next start goes on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
