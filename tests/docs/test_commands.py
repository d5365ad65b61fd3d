"""What a page tells readers to type is understood by the program that it names."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from model import cli
from simulator.options import read_options
from stack.environments import LOCK_FILES
from tests.docs.pages import PAGES, ROOT, commands, name_of

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
START = (ROOT / "start_mlops.sh").read_text(encoding="utf-8")
DEPLOY = (ROOT / "deploy_railway.sh").read_text(encoding="utf-8")
ALL = [(name_of(page), words) for page in PAGES for words in commands(page)]


def simulator(words: Sequence[str]) -> object:
    """The file that a replay asks for must exist: any does here."""
    table = str(ROOT / "README.md")
    return read_options([table if word == "FILE.csv" else word for word in words], {})


def environments(words: Sequence[str]) -> None:
    assert words and set(words) <= set(LOCK_FILES)


def model(words: Sequence[str]) -> None:
    """Reads the words and does nothing."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cli, "COMMANDS", dict.fromkeys(cli.COMMANDS, lambda _: 0))
        assert cli.main(words) == 0


UNDERSTOOD: dict[str, Callable[[Sequence[str]], object]] = {
    "model": model,
    "grafana": lambda words: importlib.import_module("grafana.__main__").parser().parse_args(words),
    "simulator": simulator,
    "stack.environments": environments,
}
"""How each module reads its command line; of the others it is only known that they exist."""


def of_modules() -> list[tuple[str, str, list[str]]]:
    """Page, module and words of each `python -m …`."""
    found = []
    for page, words in ALL:
        if "-m" in words and re.search(r"python3?$", words[0]):
            at = words.index("-m") + 1
            found.append((page, words[at], words[at + 1 :]))
    return found


@pytest.mark.parametrize(("page", "module", "words"), of_modules())
def test_module_understands_its_command_line(page: str, module: str, words: list[str]) -> None:
    assert importlib.util.find_spec(module), f"{page} names {module}"
    if words and module in UNDERSTOOD:
        try:
            UNDERSTOOD[module](words)
        except (SystemExit, argparse.ArgumentError) as error:
            pytest.fail(f"{page}: `python -m {module} {shlex.join(words)}` is refused: {error}")


def test_words_of_make_exist() -> None:
    named = {(page, words[1]) for page, words in ALL if words[0] == "make" and len(words) > 1}
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    assert named
    assert {(page, word) for page, word in named if word not in targets} == set()


@pytest.mark.parametrize(
    ("program", "text"), [("./start_mlops.sh", START), ("./deploy_railway.sh", DEPLOY)]
)
def test_words_of_the_scripts_exist(program: str, text: str) -> None:
    said = [words for _, words in ALL if program in words]
    used = {word for words in said for word in words[words.index(program) + 1 :]}
    assert used
    assert {word for word in used if word not in text and word != "fraud-monitoring"} == set()


def asked_of_the_service() -> list[tuple[str, list[str]]]:
    """Page and words of each `curl` to the service."""
    return [
        (page, words)
        for page, words in ALL
        if words[0] == "curl" and any(word.startswith("localhost:5000/") for word in words)
    ]


def test_pages_show_how_to_score_and_how_to_send_a_label() -> None:
    assert {"README.md", "docs/feedback.md"} <= {page for page, _ in asked_of_the_service()}


@pytest.mark.parametrize(("page", "words"), asked_of_the_service())
def test_service_answers(
    client: FlaskClient, valid: dict[str, object], page: str, words: list[str]
) -> None:
    """Each line with `curl`, its receipts replaced by real ones."""
    [address] = [word for word in words if word.startswith("localhost:5000/")]
    path = address.removeprefix("localhost:5000")
    if "-d" not in words:
        assert client.get(path).status_code == 200, page
        return
    assert "Content-Type: application/json" in words
    body = json.loads(words[words.index("-d") + 1])
    for entry in body.get("feedback", [body]):
        if "receipt" in entry:
            entry["receipt"] = client.post("/predict", json=valid).get_json()["receipt"]
    answer = client.post(path, json=body)
    assert answer.status_code == 200, f"{page}: {answer.text}"
    results = answer.get_json().get("results", [])
    assert {each["result"] for each in results} <= {"counted"}


def test_paths_of_python_are_environments_that_exist() -> None:
    """`.venv/NAME/bin/python` is made from a lock file."""
    named = {
        found[1]
        for _, words in ALL
        for word in words
        if (found := re.match(r"\.venv/(\w+)/bin/", word))
    }
    assert named and named <= set(LOCK_FILES)
    assert all(Path(ROOT / file).is_file() for file in LOCK_FILES.values())
