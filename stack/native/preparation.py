"""What a native start makes first: environments and a model, and beside them the programs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
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

    @contextmanager
    def building(self, names: tuple[str, ...]) -> Iterator[Future[StackError | None]]:
        """Builds while the block lasts; the result is what kept a program from being built.

        An error or a Ctrl-C within the block ends the build; else the end of the block waits.
        """
        with ThreadPoolExecutor(max_workers=1) as pool:
            try:
                yield pool.submit(self._build, names)
            except BaseException:
                self.runner.cancel()
                raise

    def prepare_python(self) -> None:
        """What the handler needs; raises StackError when it cannot be made."""
        root = self.settings.root
        environments.ensure(root, ["serve"], self.display, self.runner)
        if not has_model(root):
            environments.ensure(root, ["train"], self.display, self.runner)
            self._train()

    def _build(self, names: tuple[str, ...]) -> StackError | None:
        settings = self.settings
        try:
            build.ensure(settings.root, list(names), settings.tools, self.display, self.runner)
        except StackError as error:
            return error
        return None

    def _train(self) -> None:
        root = self.settings.root
        train = [str(environments.python_of(root, "train")), "-m", "model", "train"]
        with self.display.show("model", "training", done="trained", failed="not trained") as task:
            self.runner.run("training the model", train, cwd=root, on_line=task.update)


def has_model(root: Path) -> bool:
    """True when a model was published."""
    return (root / (os.environ.get("MODEL_DIR") or "models") / "champion").exists()
