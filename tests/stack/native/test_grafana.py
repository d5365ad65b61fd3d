"""An installed Grafana: whether it can be taken, and that it finds dashboards and data here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from stack.native.grafana import (
    Grafana,
    find_grafana,
    grafana_environment,
    write_provisioning,
)
from stack.settings import Settings, read_settings
from tests.lab.paths import ROOT


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A download of Grafana, unpacked, on the PATH by a link."""
    folder = tmp_path / "grafana-13"
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "grafana"
    program.write_text("#!/bin/sh\necho grafana version 13.2.3\n")
    program.chmod(0o755)
    (folder / "conf").mkdir()
    (folder / "conf" / "defaults.ini").touch()
    on_path = tmp_path / "bin"
    on_path.mkdir()
    (on_path / "grafana").symlink_to(program)
    monkeypatch.setenv("PATH", str(on_path))
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    root = tmp_path / "a project"
    root.mkdir()
    (root / "grafana").symlink_to(ROOT / "grafana")
    ports = {"PROMETHEUS_PORT": "9190", "ALERTMANAGER_PORT": "9193", "GRAFANA_PORT": "3100"}
    return read_settings(root, ports)


def read(settings: Settings, name: str) -> dict[str, Any]:
    folder = settings.run / "grafana" / "provisioning"
    content: dict[str, Any] = yaml.safe_load((folder / name / f"{name}.yml").read_text())
    return content


def test_its_home_is_found_through_the_link(install: Path) -> None:
    found, said = find_grafana()
    assert found is not None and found.home == install
    assert said[0].startswith("Taken from the PATH: grafana 13.2.3")


def test_one_whose_home_is_not_found_is_named(install: Path) -> None:
    (install / "conf" / "defaults.ini").unlink()
    found, said = find_grafana()
    assert found is None
    assert said[0].endswith("its conf/defaults.ini is not found.")


def test_one_that_is_too_old_is_named(install: Path) -> None:
    (install / "bin" / "grafana").write_text("#!/bin/sh\necho grafana version 9.5.1\n")
    found, said = find_grafana()
    assert found is None
    assert "Not taken from the PATH: grafana 9.5.1" in said[0] and "11.0 or newer" in said[0]


def test_none_is_nothing_to_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_grafana() == (None, ())


def test_provisioning_has_the_addresses_of_this_start(settings: Settings) -> None:
    """As compose's, but for the names of containers; a trace is shown by the live view."""
    write_provisioning(settings)
    sources = {each["uid"]: each for each in read(settings, "datasources")["datasources"]}
    assert {uid: each["url"] for uid, each in sources.items()} == {
        "prometheus": "http://127.0.0.1:9190",
        "alertmanager": "http://127.0.0.1:9193",
    }
    [destination] = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert destination["url"] == "http://localhost:9190/user/?trace=$${__value.raw}"
    [provider] = read(settings, "dashboards")["providers"]
    assert Path(provider["options"]["path"], "overview.json").is_file()


def test_it_listens_on_loopback_and_keeps_all_under_run(settings: Settings) -> None:
    env = grafana_environment(settings, Grafana(Path("/g/bin/grafana"), Path("/g")))
    assert (env["GF_SERVER_HTTP_ADDR"], env["GF_SERVER_HTTP_PORT"]) == ("127.0.0.1", "3100")
    kept = [value for name, value in env.items() if name.startswith("GF_PATHS_")]
    assert len(kept) == 4 and all(Path(each).is_relative_to(settings.run) for each in kept)
    assert Path(env["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]).is_file()
