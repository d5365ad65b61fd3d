"""What docs/scaling.md computes: lines through measurements, the cloud's price, the rules' time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.scale import replicas
from bench.scale.replicas import Results, read_results, render
from bench.scale.sizing.cloud_cost import Prices, month_of
from bench.scale.sizing.gateway import Saturated
from bench.scale.sizing.limits import format_limits
from bench.scale.sizing.measurement import Measured
from bench.scale.sizing.plot import draw
from bench.scale.sizing.projection import deviation, fit_line, project
from bench.scale.sizing.rule_cost import Case, GroupCost, RuleCost
from bench.scale.sizing.rule_table import build_model
from bench.scale.sizing.table import format_sizes, largest_deviation
from tests.lab.paths import ROOT

ONE = Measured(
    replicas=1, workers=2, pushed_series=1500, stored_series=2000, recorded_series=400,
    samples_per_second=110, collector_cpu=0.01, collector_pss=50, store_cpu=0.02, store_pss=80,
    store_rss=90, rule_seconds=0.5, slowest_group="slo_ratios", slowest_seconds=0.1,
    slowest_share=0.002, missed=0, queue_kib=100, log_bytes_per_second=1000, sender_cpu=0.001,
    late_seconds=0.01, push_bytes=55_000, pushes=36, refused=0, lost=0,
)  # fmt: skip


def scaled(size: int) -> Measured:
    """Ten times the replicas: ten times what grows, on top of a constant."""
    return replace(
        ONE, replicas=size, pushed_series=1500 * size, stored_series=500 + 1500 * size,
        samples_per_second=10 + 100 * size, collector_cpu=0.005 * (1 + size),
        collector_pss=49 + size, store_cpu=0.01 * (1 + size), store_pss=79 + size,
        rule_seconds=0.4 + 0.1 * size, log_bytes_per_second=1000 * size, pushes=36 * size,
    )  # fmt: skip


def cost(case: Case, samples: int, seconds: float) -> RuleCost:
    """All of it in one group of a minute and one of four."""
    groups = (
        GroupCost("often", 60, samples // 2, seconds / 2),
        GroupCost("seldom", 240, samples // 2, seconds / 2),
    )
    return RuleCost(case, groups, 1.5, 100)


# 100 ns a sample and 1 s for all expressions.
COSTS = [
    cost(Case(1, 2, 1, 15), 2_000_000, 1.2),
    cost(Case(1, 2, 168, 60), 20_000_000, 3.0),
    cost(Case(10, 2, 6, 15), 90_000_000, 10.0),
]
RESULTS = Results(
    "2 processors",
    {size: scaled(size) for size in (1, 10, 100)},
    COSTS,
    Saturated(100, 75_000, 0.5, 0.7, 0.3, 20, 0, 0),
)


def test_line_goes_through_points_that_lie_on_one() -> None:
    line = fit_line([(1, 5), (10, 23), (100, 203)])
    assert [line.constant, line.slope] == pytest.approx([3, 2])


def test_line_gives_the_small_as_much_weight_as_the_large() -> None:
    """By ordinary least squares the constant would be lost in the error of the largest."""
    line = fit_line([(1, 5), (10, 23), (100, 240)])
    assert line.at(1) == pytest.approx(5, rel=0.1)


@pytest.mark.parametrize(
    ("points", "why"),
    [
        pytest.param([(1, 2)], "two different x", id="one point"),
        pytest.param([(1, 2), (1, 3)], "two different x", id="one x"),
        pytest.param([(1, 0), (2, 3)], "above 0", id="nothing measured"),
    ],
)
def test_line_needs_points(points: list[tuple[float, float]], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        fit_line(points)


def test_deviation_is_that_of_the_same_computation_for_the_largest_measured() -> None:
    """From 1 and 10 a line would give 203 for 100, where 250 was measured."""
    assert deviation([(1, 5), (10, 23), (100, 250)]) == pytest.approx(203 / 250 - 1)
    found = project({1: 5, 10: 23, 100: 203}, 1000)
    assert found.value == pytest.approx(2003)
    assert found.deviation == pytest.approx(0)


@pytest.mark.parametrize(
    ("pushed", "recorded", "interval", "dollars"),
    [
        pytest.param(8_000, 2_000, 60, 0, id="the free plan holds it"),
        pytest.param(10_000, 2_000, 60, 19 + 2 * 6.5, id="series beyond it"),
        pytest.param(10_000, 2_000, 15, 19 + 32 * 6.5, id="samples count more than series"),
        pytest.param(10_000, 2_000, 120, 19 + 2 * 6.5, id="series count where samples are few"),
    ],
)
def test_month_costs_the_larger_of_series_and_samples(
    pushed: float, recorded: float, interval: float, dollars: float
) -> None:
    assert month_of(Prices(), pushed, recorded, interval) == pytest.approx(dollars)


def test_every_price_can_be_given() -> None:
    prices = Prices(fee=0, included=0, thousand=10, samples_a_minute=2)
    assert month_of(prices, 1000, 0, 30) == pytest.approx(10)
    assert month_of(prices, 1000, 0, 15) == pytest.approx(20)


def test_rules_follow_replicas_and_pushes_a_minute() -> None:
    model = build_model(COSTS)
    assert model.full.case.hours == 168
    assert model.samples(1, 60) == 20_000_000
    assert model.samples(10, 15) == 800_000_000
    assert model.seconds(10, 15) == pytest.approx(81)
    assert model.error == pytest.approx(0)
    # Half of it each minute, half each four minutes.
    assert model.cores(10, 15) == pytest.approx(40.5 / 60 + 40.5 / 240)
    name, share = model.slowest(10, 15)
    assert name == "often"
    assert share == pytest.approx(40.5 / 60)


def test_most_replicas_are_those_whose_slowest_group_is_in_time() -> None:
    """59.5 s are left for the samples: 595 million, and 40 million are read for each replica."""
    model = build_model(COSTS)
    most = model.most_replicas(15)
    assert most == 14
    assert model.slowest(most, 15)[1] <= 1 < model.slowest(most + 1, 15)[1]


def test_table_has_a_column_for_each_size_and_the_computed_one() -> None:
    table = format_sizes(RESULTS.sizes, 1000, Prices(), build_model(COSTS))
    rows = {line.split(" | ")[0].strip("| "): line for line in table.splitlines()}
    assert rows["series pushed"].endswith("| 1,500 | 15,000 | 150,000 | 1,500,000 | |")
    samples = rows["samples a second into the store"]
    assert samples.endswith("| 110 | 1,010 | 10,010 | 100,010 | +0% |")
    assert rows["Collector: of one core"].endswith("| 1.0% | 5.5% | 50.5% | 500.5% | +0% |")
    rules = next(line for name, line in rows.items() if "windows full" in name)
    assert rules.endswith("| 9 | 81 | 801 | 8,001 | +0% |")
    queue = next(line for name, line in rows.items() if name.startswith("outage of the store"))
    assert queue.endswith("| 305.0 | 30.5 | 3.1 | 0.3 | |")
    assert rows["Grafana Cloud, a push each 60 s: $ a month"].endswith(
        f"| 0 | 54 | 932 | {19 + (1_500_400 - 10_000) / 1000 * 6.5:,.0f} | |"
    )


def test_pushes_that_came_late_show_as_the_error_of_the_samples() -> None:
    sizes = dict(RESULTS.sizes)
    sizes[100] = replace(sizes[100], samples_per_second=8_008)
    table = format_sizes(sizes, 1000, Prices(), build_model(COSTS))
    assert "| 110 | 1,010 | 8,008 | 100,010 | +25% |" in table


def test_largest_deviation_is_named() -> None:
    sizes = dict(RESULTS.sizes)
    sizes[100] = replace(sizes[100], store_pss=2 * sizes[100].store_pss)
    name, off = largest_deviation(sizes, 1000)
    assert name == "Prometheus: memory, MiB"
    assert off == pytest.approx(-0.5)


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    RESULTS.write(tmp_path / "new" / "results.json")
    assert read_results(tmp_path / "new" / "results.json") == RESULTS
    assert read_results(tmp_path / "none.json") == Results()


def test_page_is_written_from_kept_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, picture = tmp_path / "scaling.md", tmp_path / "images" / "scaling.png"
    mark = "<!-- generated by python -m bench.scale replicas: {} -->\n"
    page.write_text(f"before\n{mark.format('begin')}the one before\n{mark.format('end')}after\n")
    monkeypatch.setattr(replicas, "PAGE", page)
    monkeypatch.setattr(replicas, "PICTURE", picture)
    RESULTS.write(tmp_path / "results.json")
    assert replicas.run(["--only", "page", "--results", str(tmp_path / "results.json")]) == 0
    text = page.read_text()
    assert render(RESULTS, Prices()) in text
    assert "the one before" not in text and text.startswith("before\n") and text.endswith("after\n")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_picture_is_the_same_file_for_the_same_results(tmp_path: Path) -> None:
    model = build_model(COSTS)
    for name in ("one.png", "two.png"):
        draw(tmp_path / name, RESULTS.sizes, 1000, model)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_limits_follow_from_the_lines() -> None:
    """200 samples a second for 1 % of a core; 1 MiB for 1,500 series beyond 79 MiB."""
    assert RESULTS.gateway is not None
    text = format_limits(RESULTS.sizes, build_model(COSTS), RESULTS.gateway)
    collector, store, rules = text.splitlines()
    assert "20,000 samples a second for a whole core" in collector
    assert "75,000 (100 pushes)" in collector
    assert "0.7 KiB a series beyond 79 MiB" in store
    assert "14 replicas with a push each 15 s and 59 replicas with a push each 60 s" in rules


def test_guide_shows_the_generated_part_and_a_small_picture() -> None:
    text = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    assert f"<!-- generated by {replicas.COMMAND}: begin -->" in text
    assert "(images/scaling.png)" in text
    assert replicas.PICTURE.stat().st_size < 200_000
