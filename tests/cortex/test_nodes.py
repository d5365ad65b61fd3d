"""Three real nodes: the project's configurations start, and what is written is there."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest
import yaml

from tests.lab.collector import Collector
from tests.lab.cortex import WITH_BUCKET, WITHOUT_BUCKET, Cortex
from tests.lab.polling import until
from tests.lab.sdk_worker import sdk_worker

pytestmark = [pytest.mark.cortex, pytest.mark.timeout(600)]

EXPRESSION = "sum(increase(predictions_total[10s]))"
RECORDED = "predictions:increase10s"
ALERTS_NOWHERE = "http://127.0.0.1:9"
EACH = ["-ruler.query-offset=5s", "-ruler.poll-interval=2s"]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder with one rule that is evaluated each second."""
    rule = {"record": RECORDED, "expr": EXPRESSION}
    groups = {"groups": [{"name": "one", "interval": "1s", "rules": [rule]}]}
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "one.yml").write_text(yaml.safe_dump(groups))
    return folder


def collector_of(cortex: Cortex, tools: Path, folder: Path) -> Collector:
    route = {"OTEL_COLLECTOR_ROUTE": "remote-write", "REMOTE_WRITE_URL": cortex.write_url}
    return Collector(tools, folder, **route)


def counted(store: Cortex) -> float | None:
    """None while two nodes have not found each other: a connection that failed is tried again
    after some seconds."""
    with contextlib.suppress(AssertionError):
        return store.number("sum(predictions_total)")
    return None


@pytest.mark.parametrize("config", [WITH_BUCKET, WITHOUT_BUCKET])
def test_configuration_is_one_that_cortex_takes(
    cortex_folder: Path, rules: Path, tmp_path: Path, config: str
) -> None:
    store = Cortex(cortex_folder, tmp_path / "store", rules, ALERTS_NOWHERE, config=config)
    checked = store.check_configuration()
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("config", [WITH_BUCKET, WITHOUT_BUCKET])
def test_one_node_killed_takes_nothing_away(
    cortex_folder: Path, tools: Path, rules: Path, tmp_path: Path, config: str
) -> None:
    """Counts go on with two nodes, are there with the other two, and rules are evaluated."""
    store = Cortex(cortex_folder, tmp_path / "store", rules, ALERTS_NOWHERE, *EACH, config=config)
    collector = collector_of(store, tools, tmp_path / "collector")
    with store, collector, sdk_worker(collector.endpoint) as worker:
        for count in (1, 2):
            worker.predict(5)
            assert worker.push()
            until(lambda n=count: counted(store) == 5 * n, 60, "counts")  # type: ignore[misc]
            store.nodes[2].kill()
        store.nodes[2].start()
        store.nodes[0].kill()
        until(lambda: counted(store) == 10, 60, "the other two have everything")

        def evaluated_anew() -> bool:
            """The group may have been the killed node's: the others miss it after a minute."""
            worker.predict(1)
            worker.push()
            return bool(store.query(f"{RECORDED} > 0 and timestamp({RECORDED}) > {killed + 10}"))

        killed = time.time()
        until(evaluated_anew, 180, "the rule is evaluated without the killed node", 1)


def test_a_recorded_value_is_what_is_found_for_its_moment_later(
    cortex_folder: Path, tools: Path, rules: Path, tmp_path: Path
) -> None:
    """To the last bit, whichever node evaluated it."""
    store = Cortex(cortex_folder, tmp_path / "store", rules, ALERTS_NOWHERE, *EACH)
    collector = collector_of(store, tools, tmp_path / "collector")
    with store, collector, sdk_worker(collector.endpoint, every_ms=1000) as worker:

        def count() -> bool:
            worker.predictions.add(1)
            return len(next(iter(store.samples(RECORDED, 300).values()), [])) >= 15

        until(count, 120, "enough recorded values", 0.1)
        [values] = store.samples(RECORDED, 300).values()
        assert [value for _, value in values] == [store.number(EXPRESSION, at) for at, _ in values]
        assert any(value for _, value in values)
