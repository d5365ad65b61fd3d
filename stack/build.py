"""Builds the programs that come as Go modules: `<tools>/<name>`, pinned by a committed go.sum.

What is built, and how, is data: each distribution folder has a `build.json`,
{"programs": [{"name", "package", "tags", "env"}], "optional": true where only those who ask for
its programs get them}. A program is built again only when a file that it is built from changed.
An interrupted build leaves nothing half-written, and Go's own cache keeps what was compiled, so
the next one goes on from there.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stack.errors import StackError
from stack.file_lock import lock
from stack.progress import ProgressDisplay, Task
from stack.subprocesses import SubprocessRunner

DISTRIBUTIONS = (
    Path("otel-collector/distribution"),
    Path("prometheus/distribution"),
    Path("prometheus/alertmanager/distribution"),
    Path("deploy/cortex/distribution"),
)

_GO_LINE = re.compile(r"^go (\S+)$", re.MULTILINE)
_REPLACED = re.compile(r"=>\s+(\.\.?/\S+)")


@dataclass(frozen=True)
class Program:
    """One program of a distribution folder."""

    name: str
    folder: Path
    package: str
    tags: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    optional: bool = False
    """Only built where it is asked for."""


def read_programs(root: Path) -> dict[str, Program]:
    """Every program that the distribution folders describe, by name."""
    found = [program for folder in DISTRIBUTIONS for program in read_description(root / folder)]
    return {program.name: program for program in found}


def read_description(folder: Path) -> list[Program]:
    """The programs of one distribution folder; StackError where it describes none."""
    description = folder / "build.json"
    try:
        content = json.loads(description.read_text())
        optional = bool(content.get("optional", False))
        return [
            Program(
                name=one["name"],
                folder=folder,
                package=one["package"],
                tags=tuple(one.get("tags", ())),
                env=tuple(one.get("env", {}).items()),
                optional=optional,
            )
            for one in content["programs"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StackError(f"{description} does not describe programs to build: {error!r}") from None


def choose_programs(root: Path, names: Sequence[str]) -> list[str]:
    """The programs named, or all that are not optional; StackError for a name that is none."""
    known = read_programs(root)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise StackError(f"{unknown[0]!r} is no program: there are {', '.join(known)}.")
    return list(names) or [name for name, program in known.items() if not program.optional]


def source_digest(program: Program) -> str:
    """Changes when a file that the program is built from changes, and with the kind of machine."""
    digest = hashlib.sha256(f"{sys.platform} {platform.machine()} {program.package}".encode())
    for folder in (program.folder, *_local_modules(program.folder)):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(f"\0{path.relative_to(folder).as_posix()}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _local_modules(folder: Path) -> list[Path]:
    """The folders of this repository that the module takes in by `replace … => ../folder`."""
    go_mod = folder / "go.mod"
    text = go_mod.read_text() if go_mod.exists() else ""
    return [folder / path for path in sorted(_REPLACED.findall(text))]


def is_current(program: Program, tools: Path) -> bool:
    """True when the built program exists and was built from the present sources."""
    stamp = _stamp_file(program, tools)
    built = os.access(tools / program.name, os.X_OK)
    return built and stamp.exists() and stamp.read_text() == source_digest(program)


def find_go() -> str | None:
    """The `go` command, or None."""
    return shutil.which("go")


def build(program: Program, tools: Path, task: Task, runner: SubprocessRunner) -> None:
    """Builds one program into `tools`; raises StackError when it cannot be built."""

    def show_wait() -> None:
        runner.check()
        task.update("waiting for another build")

    with lock(tools / "build.lock", show_wait):
        if is_current(program, tools):
            return
        stamp = source_digest(program)
        unfinished = tools / f".{program.name}.unfinished"
        _compile(program, unfinished, task, runner)
        _stamp_file(program, tools).unlink(missing_ok=True)
        unfinished.replace(tools / program.name)
        _stamp_file(program, tools).write_text(stamp)


def _compile(program: Program, output: Path, task: Task, runner: SubprocessRunner) -> None:
    go = find_go()
    if go is None:
        raise StackError(f"{program.name} cannot be built: the `go` command is not on the PATH.")
    env = os.environ | dict(program.env)
    tags = f"-tags={','.join(program.tags)}"
    meter = BuildProgress(task)
    stale = [go, "list", "-deps", tags, "-f", "{{if .Stale}}package {{.ImportPath}}{{end}}"]
    runner.run(
        f"fetching the modules of {program.name}",
        [*stale, program.package],
        cwd=program.folder,
        env=env,
        on_line=meter.read_list,
    )
    # -buildvcs=false: a checkout owned by someone else must not stop the build.
    compile = [go, "build", "-trimpath", "-buildvcs=false", "-v", tags, "-o", str(output)]
    runner.run(
        f"building {program.name}",
        [*compile, program.package],
        cwd=program.folder,
        env=env,
        on_line=meter.read_build,
    )


class BuildProgress:
    """Reads the lines of `go list` and `go build -v` and shows how far the build is."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._downloaded = 0
        self._total = 0
        self._compiled = 0
        task.update("looking at its modules")

    def read_list(self, line: str) -> None:
        """One line of `go list`: a module that is fetched, or a package that will be compiled."""
        if line.startswith("go: downloading "):
            self._downloaded += 1
            self._task.update(f"{self._downloaded} modules fetched, {line.split()[2]}")
        elif line.startswith("package "):
            self._total += 1

    def read_build(self, line: str) -> None:
        """One line of `go build -v`: a package that is being compiled."""
        if line.startswith("go: ") or " " in line:
            return
        self._compiled += 1
        self._task.update(f"{min(self._compiled, self._total)}/{self._total} packages compiled")


def ensure(
    root: Path, names: list[str], tools: Path, display: ProgressDisplay, runner: SubprocessRunner
) -> None:
    """Builds those of the programs that are missing or out of date, one by one."""
    known = read_programs(root)
    missing = [known[name] for name in names if not is_current(known[name], tools)]
    for number, program in enumerate(missing, start=1):
        # Each takes minutes: who waits for the first is told that others follow.
        place = f" ({number} of {len(missing)})" if len(missing) > 1 else ""
        with display.show(f"building {program.name}{place}", failed="not built") as task:
            build(program, tools, task, runner)


def minimum_go_version(root: Path) -> str:
    """The oldest Go that can build every program, for example "1.26"."""
    found = [_GO_LINE.search((root / folder / "go.mod").read_text()) for folder in DISTRIBUTIONS]
    versions = [tuple(int(part) for part in line[1].split(".")[:2]) for line in found if line]
    return ".".join(str(part) for part in max(versions, default=(1, 26)))


def _stamp_file(program: Program, tools: Path) -> Path:
    return tools / f".{program.name}.built-from"
