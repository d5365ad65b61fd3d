"""`make drill-scale`'s store drill: its programs start, and both stores get the same counts."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from bench.scale.store_stage import open_stage
from tests.lab.polling import until
from tests.lab.prometheus import PrometheusApi
from tests.lab.traffic import TRANSACTION

pytestmark = [pytest.mark.cortex, pytest.mark.timeout(300)]


def test_both_stores_count_what_the_handler_answered(model_dir: Path, tmp_path: Path) -> None:
    with open_stage(tmp_path, model_dir) as stage:
        for _ in range(7):
            url = f"{stage.handler.url}/predict"
            assert requests.post(url, json=TRANSACTION, timeout=30).status_code == 200
        stores: list[PrometheusApi] = [stage.reference, stage.cortex]
        for store in stores:
            until(lambda: store.number("sum(predictions_total)") == 7, 60, f"{store.url} has them")  # noqa: B023
