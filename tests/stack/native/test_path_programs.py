"""Programs of the PATH: a fitting version is taken, another is named; stand-ins say the version."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.native import path_programs
from stack.native.path_programs import ALERTMANAGER, GRAFANA, PROMETHEUS, Wanted
from stack.native.programs import choose_programs
from stack.settings import read_settings
from tests.lab.paths import ROOT

SAYS = {
    "prometheus": "prometheus, version 3.16.0 (branch: HEAD, revision: 0123456)",
    "alertmanager": "alertmanager, version 0.31.1 (branch: HEAD, revision: 0123456)",
    "grafana": "grafana version 13.2.3",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The whole PATH."""
    made = tmp_path / "bin"
    made.mkdir()
    monkeypatch.setenv("PATH", str(made))
    return made


def install(folder: Path, command: str, says: str) -> None:
    """Some programs answer on stdout, some on stderr."""
    (folder / command).write_text(f'#!/bin/sh\necho "{says}" >&2\n')
    (folder / command).chmod(0o755)


@pytest.mark.parametrize("wanted", [PROMETHEUS, ALERTMANAGER, GRAFANA], ids=lambda one: one.name)
def test_a_fitting_version_is_taken_and_the_line_says_so(folder: Path, wanted: Wanted) -> None:
    install(folder, wanted.name, SAYS[wanted.name])
    found = path_programs.find(wanted)
    assert found is not None and found.fits
    version = SAYS[wanted.name].split("version ")[1].split()[0]
    path = folder / wanted.name
    assert found.describe() == f"Taken from the PATH: {wanted.name} {version} ({path})."


def test_the_name_that_debian_gives_it_is_known(folder: Path) -> None:
    install(folder, "prometheus-alertmanager", SAYS["alertmanager"])
    found = path_programs.find(ALERTMANAGER)
    assert found is not None and found.fits


@pytest.mark.parametrize(
    ("says", "version"),
    [
        ("prometheus, version 2.53.3+ds1 (branch: debian/sid)", "2.53.3"),
        ("prometheus, version 3.10.9", "3.10.9"),
        ("prometheus: not found", "of an unknown version"),
        ("", "of an unknown version"),
    ],
)
def test_another_version_is_named_and_not_taken(folder: Path, says: str, version: str) -> None:
    install(folder, "prometheus", says)
    found = path_programs.find(PROMETHEUS)
    assert found is not None and not found.fits
    assert found.describe() == (
        f"Not taken from the PATH: prometheus {version} ({folder / 'prometheus'}); 3.11 or newer is"
        " needed, because it reads the retention in prometheus.yml right."
    )


def test_a_program_that_cannot_be_run_is_not_taken(folder: Path) -> None:
    (folder / "prometheus").write_bytes(b"\x7fELF of another machine")
    (folder / "prometheus").chmod(0o755)
    found = path_programs.find(PROMETHEUS)
    assert found is not None and not found.fits


def test_what_is_taken_is_not_built(folder: Path, tmp_path: Path) -> None:
    """The Collector always is: its configuration needs the project's own."""
    install(folder, "prometheus", SAYS["prometheus"])
    install(folder, "alertmanager", "alertmanager, version 0.15.2")
    chosen = choose_programs(read_settings(ROOT, {"STACK_TOOLS_DIR": str(tmp_path / "tools")}))
    assert chosen.prometheus == folder / "prometheus"
    assert chosen.alertmanager == tmp_path / "tools" / "alertmanager"
    assert chosen.to_build == ("otelcol", "alertmanager")
    assert [line.split(":")[0] for line in chosen.remarks] == [
        "Taken from the PATH",
        "Not taken from the PATH",
    ]
