"""What a native start makes first: environments, a model, programs."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from stack import build, environments
from stack.errors import StackError
from stack.progress import ProgressDisplay
from stack.settings import Settings
from stack.subprocesses import SubprocessRunner


@dataclass
class Preparation:
    """Makes what is missing: environments and model beside the programs built from Go modules."""

    settings: Settings
    display: ProgressDisplay
    runner: SubprocessRunner

    def run(self, to_build: tuple[str, ...]) -> StackError | None:
        """Gives what kept a program from being built; raises StackError for all the rest."""
        with ThreadPoolExecutor(max_workers=2) as both:
            programs = both.submit(self._build, to_build)
            python = both.submit(self._prepare_python)
            try:
                python.result()
                return programs.result()
            except BaseException:
                # Not left to run behind an error or a Ctrl-C.
                self.runner.cancel()
                raise

    def _build(self, names: tuple[str, ...]) -> StackError | None:
        settings = self.settings
        try:
            build.ensure(settings.root, list(names), settings.tools, self.display, self.runner)
        except StackError as error:
            return error
        return None

    def _prepare_python(self) -> None:
        root = self.settings.root
        environments.ensure(root, ["serve"], self.display, self.runner)
        if not has_model(root):
            environments.ensure(root, ["train"], self.display, self.runner)
            self._train()

    def _train(self) -> None:
        root = self.settings.root
        train = [str(environments.python_of(root, "train")), "-m", "model", "train"]
        with self.display.show("model", "training", done="trained", failed="not trained") as task:
            self.runner.run("training the model", train, cwd=root, on_line=task.update)


def has_model(root: Path) -> bool:
    """True when a model was published."""
    return (root / (os.environ.get("MODEL_DIR") or "models") / "champion").exists()
