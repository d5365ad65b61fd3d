"""A challenger from its first shadow prediction to its promotion: labels, Prometheus, decision."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
import requests

from model.registry.writer import RegistryWriter
from model.serving.card import CARD_FILE
from model.serving.registry import PUBLISHED_FILE, Published
from tests.lab.collector import Collector
from tests.lab.environment import clean_environment
from tests.lab.fixtures import StartHandler
from tests.lab.handler import Handler
from tests.lab.paths import ROOT
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.traffic import TRANSACTION

pytestmark = pytest.mark.stack


@pytest.fixture
def models(model_dir: Path, tmp_path: Path) -> RegistryWriter:
    """The default model as champion, and beside it the same with a threshold that nearly every
    transaction reaches: on them its decision is always fraud."""
    folder = tmp_path / "models"
    shutil.copytree(model_dir, folder)
    registry = RegistryWriter(folder)
    champion = registry.champion()
    files = tmp_path / "files"
    shutil.copytree(registry.folder(champion), files)
    (files / CARD_FILE).unlink()
    (files / PUBLISHED_FILE).unlink()
    card = msgspec.structs.replace(registry.card(champion), threshold=1e-6)
    published = Published(trained_at=time.time(), training_seconds=1)
    registry.publish(registry.name_card(card), files, published)
    return registry


@pytest.fixture
def service(models: RegistryWriter, start_handler: StartHandler, collector: Collector) -> Handler:
    """Two workers with the challenger in the shadow, exporting each second."""
    return start_handler(
        models.root,
        CHALLENGER=models.versions()[-1],
        CHALLENGER_WAIT_MS="1000",
        WEB_CONCURRENCY="2",
        **collector.exporter_settings(),
    )


def send_labelled(service: Handler, labels: list[str]) -> None:
    """A prediction for each label, and then the label."""
    body = {"transactions": [TRANSACTION] * len(labels)}
    answer = requests.post(f"{service.url}/predict", json=body, timeout=30).json()
    feedback = [
        {"receipt": one["receipt"], "label": label}
        for one, label in zip(answer["predictions"], labels, strict=True)
    ]
    body = {"feedback": feedback}
    results = requests.post(f"{service.url}/feedback", json=body, timeout=30).json()
    assert {one["result"] for one in results["results"]} == {"counted"}


def promote(models: RegistryWriter, prometheus: Prometheus) -> tuple[int, dict[str, object]]:
    """Exit code and answer of `promote --if-better`."""
    done = subprocess.run(
        [
            sys.executable, "-m", "model", "promote", models.versions()[-1],
            "--if-better", "--json", "--cost-ratio", "1", "--maturity", "0",
            "--models", str(models.root), "--prometheus", prometheus.url,
        ],
        cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_labels_decide_about_promotion(
    service: Handler, models: RegistryWriter, prometheus: Prometheus
) -> None:
    """As many frauds caught as false alarms raised: not enough labels, however many arrive. Then
    only frauds, all of which the champion misses: promoted at last, and served after a restart."""
    champion, challenger = models.champion(), models.versions()[-1]

    def equal_is_not_enough() -> bool:
        send_labelled(service, ["fraud", "legitimate"] * 20)
        code, answer = promote(models, prometheus)
        assert (code, answer["verdict"]) == (4, "not enough labels"), answer
        return float(str(answer["outcomes"])) >= 100

    until(equal_is_not_enough, 120, "outcomes arrive", every=2)
    assert models.champion() == champion

    def better_is_promoted() -> bool:
        send_labelled(service, ["fraud"] * 20)
        code, answer = promote(models, prometheus)
        assert code in (0, 4), answer
        return code == 0

    until(better_is_promoted, 120, "it is promoted", every=2)
    assert models.champions()[:2] == [challenger, champion]
    service.terminate()
    service.start()
    answer = requests.get(f"{service.url}/model_info", timeout=10).json()
    assert (answer["version"], answer["challenger"]) == (challenger, None)
