"""A registry whose champion is served from joblib."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from model.cli import main
from model.registry.writer import RegistryWriter
from tests.model.elsewhere import write
from tests.model.serving.joblib_models import ALL, own_step


@pytest.fixture(scope="session")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of one's own, its sample, and the registry it was imported into."""
    folder = tmp_path_factory.mktemp("brought")
    assert main([*write(folder, own_step(), ALL), "--allow-joblib"]) == 0
    return folder


@pytest.fixture
def imported(brought: Path, tmp_path: Path) -> RegistryWriter:
    """A registry whose champion is served from joblib, to be changed at will."""
    shutil.copytree(brought, tmp_path, dirs_exist_ok=True)
    return RegistryWriter(tmp_path / "models")
