"""The whole way of a challenger: both score, labels follow, Prometheus keeps, it is promoted."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time

import msgspec
import pytest
import requests

from model.registry.writer import RegistryWriter
from model.serving.card import CARD_FILE
from model.serving.registry import PUBLISHED_FILE, Published
from tests.lab.programs import ROOT, clean_environment, until
from tests.lab.service import TRANSACTION, Handler

pytestmark = pytest.mark.stack


@pytest.fixture
def models(model_dir, tmp_path):
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
def service(models, tmp_path, started, collector):
    """Two workers with the challenger in the shadow, exporting each second."""
    made = Handler(
        tmp_path / "handler",
        models.root,
        CHALLENGER=models.versions()[-1],
        CHALLENGER_WAIT_MS="1000",
        WEB_CONCURRENCY="2",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint,
        OTEL_METRIC_EXPORT_INTERVAL="1000",
    )
    started.append(made)
    return made.start()


def tell(service: Handler, labels: list[str]) -> None:
    """A prediction for each label, and then the label."""
    body = {"transactions": [TRANSACTION] * len(labels)}
    answer = requests.post(f"{service.url}/predict", json=body, timeout=30).json()
    told = [
        {"receipt": one["receipt"], "label": label}
        for one, label in zip(answer["predictions"], labels, strict=True)
    ]
    results = requests.post(f"{service.url}/feedback", json={"feedback": told}, timeout=30).json()
    assert {one["result"] for one in results["results"]} == {"counted"}


def ask(models, prometheus) -> tuple[int, dict[str, object]]:
    done = subprocess.run(
        [
            sys.executable, "-m", "model", "promote", models.versions()[-1],
            "--if-better", "--json", "--cost-ratio", "1",
            "--models", str(models.root), "--prometheus", prometheus.url,
        ],
        cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_told_outcomes_decide(service, models, prometheus):
    """As many frauds caught as false alarms raised: not enough labels, however many are told. Then
    only frauds, all of which the champion misses: promoted at last, and served after a restart."""
    champion, challenger = models.champion(), models.versions()[-1]

    def equal_is_not_enough() -> bool:
        tell(service, ["fraud", "legitimate"] * 20)
        code, told = ask(models, prometheus)
        assert (code, told["verdict"]) == (4, "not enough labels"), told
        return float(str(told["outcomes"])) >= 100

    until(equal_is_not_enough, 120, "outcomes arrive", every=2)
    assert models.champion() == champion

    def better_is_promoted() -> bool:
        tell(service, ["fraud"] * 20)
        code, told = ask(models, prometheus)
        assert code in (0, 4), told
        return code == 0

    until(better_is_promoted, 120, "it is promoted", every=2)
    assert models.champions()[:2] == [challenger, champion]
    service.terminate()
    service.start()
    answer = requests.get(f"{service.url}/model_info", timeout=10).json()
    assert (answer["version"], answer["challenger"]) == (challenger, None)
