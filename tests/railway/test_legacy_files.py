"""railway.toml and Procfile: valid for services and platforms that still read them, and no more."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path

from service.settings import TABLE

KNOWN: dict[str, dict[str, type]] = {
    "build": {"builder": str, "dockerfilePath": str},
    "deploy": {
        "healthcheckPath": str,
        "healthcheckTimeout": int,
        "restartPolicyType": str,
        "restartPolicyMaxRetries": int,
        "drainingSeconds": int,
        "overlapSeconds": int,
    },
}


def test_railway_toml_has_known_keys_of_the_right_type(root: Path) -> None:
    """A number written as a string stops the deployment, so the types matter."""
    parsed = tomllib.loads((root / "railway.toml").read_text())
    types = {part: {key: type(v) for key, v in keys.items()} for part, keys in parsed.items()}
    assert types == KNOWN


def test_railway_toml_leaves_time_to_flush(root: Path) -> None:
    [shutdown] = [int(s.default) for s in TABLE if s.name == "SHUTDOWN_SECONDS"]
    deploy = tomllib.loads((root / "railway.toml").read_text())["deploy"]
    assert deploy["drainingSeconds"] >= shutdown + 5


def test_procfile_is_one_web_process(root: Path) -> None:
    [line] = (root / "Procfile").read_text().splitlines()
    kind, command = line.split(":", 1)
    assert kind == "web"
    assert shlex.split(command) == [
        "HOST=0.0.0.0",
        "gunicorn",
        "-c",
        "gunicorn.conf.py",
        "handler:build()",
    ]
