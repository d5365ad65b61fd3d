"""deploy/cortex/: two configurations that differ in where history is, and agree with Prometheus."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from honcho.environ import parse_procfile

from stack.native.cortex import NODES, cortex_environment
from stack.settings import read_settings
from tests.lab.paths import ROOT

FOLDER = ROOT / "deploy" / "cortex"
WITH_BUCKET, WITHOUT_BUCKET = "cortex.yaml", "cortex-no-bucket.yaml"
NAMES = (WITH_BUCKET, WITHOUT_BUCKET)
# What Cortex itself replaces, with `-config.expand-env`, in comments too.
VARIABLE = re.compile(r"\$\{(\w+)(?::([^}]*))?\}")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# Where history is: the only settings in which the two may differ.
DIFFERENT = {
    "target",
    "blocks_storage",
    "store_gateway",
    "compactor",
    "querier.query_store_after",
    "limits.compactor_blocks_retention_period",
}

each_file = pytest.mark.parametrize("name", NAMES)


def text_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def read(name: str) -> dict[str, Any]:
    """With every variable's default, or its name where it has none."""
    text = VARIABLE.sub(lambda found: found[2] or found[1], text_of(name))
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def prometheus() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "prometheus/prometheus.yml").read_text())
    return content


def seconds(duration: str) -> int:
    """Of a duration with one unit."""
    return int(duration[:-1]) * SECONDS[duration[-1]]


def flat(content: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def documented() -> dict[str, str | None]:
    """README's table of variables: name and default, None where there is none."""
    rows = re.findall(r"^\| `(\w+)` \| (?:`([^`]*)`)? ?\|", text_of("README.md"), re.MULTILINE)
    return {name: default or None for name, default in rows}


def test_the_two_differ_only_in_where_history_is() -> None:
    with_bucket, without = (dict(flat(read(name))) for name in NAMES)
    keys = with_bucket.keys() | without.keys()
    differ = {key for key in keys if with_bucket.get(key) != without.get(key)}
    allowed = {key for key in differ if key in DIFFERENT or key.split(".")[0] in DIFFERENT}
    assert differ == allowed


@each_file
def test_rules_and_samples_are_treated_as_prometheus_treats_them(name: str) -> None:
    theirs, ours = prometheus(), read(name)
    general, tsdb = theirs["global"], theirs["storage"]["tsdb"]
    assert ours["limits"]["ruler_query_offset"] == general["rule_query_offset"]
    assert ours["ruler"]["evaluation_interval"] == general["evaluation_interval"]
    # A subquery without a step takes it.
    assert ours["querier"]["default_evaluation_interval"] == general["evaluation_interval"]
    assert ours["limits"]["out_of_order_time_window"] == tsdb["out_of_order_time_window"]
    assert ours["limits"]["max_exemplars"] == theirs["storage"]["exemplars"]["max_exemplars"]


def test_history_is_kept_as_long_as_by_prometheus() -> None:
    kept = seconds(prometheus()["storage"]["tsdb"]["retention"]["time"])
    without = read(WITHOUT_BUCKET)["blocks_storage"]["tsdb"]
    assert seconds(without["retention_period"]) == kept
    assert seconds(read(WITH_BUCKET)["limits"]["compactor_blocks_retention_period"]) == kept


def test_a_node_without_a_bucket_ships_nothing_and_asks_no_bucket() -> None:
    content = read(WITHOUT_BUCKET)
    assert content["blocks_storage"]["tsdb"]["ship_interval"] == "0s"
    kept = seconds(content["blocks_storage"]["tsdb"]["retention_period"])
    assert seconds(content["querier"]["query_store_after"]) > kept
    assert not {"store-gateway", "compactor"} & set(content["target"].split(","))


def test_there_is_no_moment_that_neither_node_nor_bucket_answers_for() -> None:
    """A late sample is shipped some three hours after it came; until then the node alone has it."""
    content = read(WITH_BUCKET)
    after = seconds(content["querier"]["query_store_after"])
    late = seconds(content["limits"]["out_of_order_time_window"])
    assert (
        late + seconds("6h")
        < after
        < seconds(content["blocks_storage"]["tsdb"]["retention_period"])
    )
    assert content["querier"]["query_ingesters_within"] == "0s"


@each_file
def test_every_variable_is_in_the_readme_with_its_default(name: str) -> None:
    used = {variable: default or None for variable, default in VARIABLE.findall(text_of(name))}
    listed = documented()
    assert used.items() <= listed.items()
    assert text_of(name).count("$") == len(VARIABLE.findall(text_of(name)))


def test_readme_lists_no_variable_that_nothing_reads() -> None:
    used = {variable for name in NAMES for variable, _ in VARIABLE.findall(text_of(name))}
    assert set(documented()) == used


def test_a_native_start_gives_every_node_what_it_needs(tmp_path: Path) -> None:
    """And another name, folder and ports to each."""
    shared = cortex_environment(read_settings(ROOT, {}), tmp_path / "cortex")
    wanted = {
        variable for variable, default in VARIABLE.findall(text_of(WITHOUT_BUCKET)) if not default
    }
    lines = parse_procfile((ROOT / "Procfile.native").read_text()).processes
    own = [dict(re.findall(r"(CORTEX_\w+)=(\$\(\(.*?\)\)|\S+)", lines[node])) for node in NODES]
    for node, given in zip(NODES, own, strict=True):
        assert wanted <= given.keys() | shared.keys(), node
        assert f"deploy/cortex/{WITHOUT_BUCKET} -config.expand-env" in lines[node]
    assert all(len({given[name] for given in own}) == len(NODES) for name in own[0])


def test_the_agent_scrapes_what_prometheus_scrapes() -> None:
    theirs = prometheus()
    agent = read("agent.yml")
    assert agent["scrape_configs"][: len(theirs["scrape_configs"])] == theirs["scrape_configs"]
    assert agent["global"]["scrape_interval"] == theirs["global"]["scrape_interval"]
