"""What 1, 10 and 100 replicas take, with pushes that are really sent; 1,000 are computed.

A push of the real handler is recorded under traffic, and sent again as so many workers with counts
that grow, at the real interval, into the real Collector and Prometheus with the project's rules.
Writes the tables and the picture of docs/scaling.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.comparison import describe_machine
from bench.scale.sizing.cloud_cost import PRICES_READ, Prices
from bench.scale.sizing.gateway import Saturated, saturate
from bench.scale.sizing.limits import format_limits
from bench.scale.sizing.measurement import Measured, Timing, measure
from bench.scale.sizing.plot import draw
from bench.scale.sizing.recorded_push import RATE, record_push
from bench.scale.sizing.rule_cost import Case, GroupCost, RuleCost, measure_rules
from bench.scale.sizing.rule_table import build_model, format_cases, format_computed
from bench.scale.sizing.table import format_sizes, largest_deviation
from telemetry.generated import write_generated
from tests.lab.paths import ROOT

COMMAND = "python -m bench.scale replicas"
PAGE = ROOT / "docs" / "scaling.md"
PICTURE = ROOT / "docs" / "images" / "scaling.png"
WORKERS = 2
COMPUTED = 1000
RULE_CASES = (
    Case(1, WORKERS, 1, 15),
    Case(1, WORKERS, 168, 60),
    Case(10, WORKERS, 6, 15),
    Case(100, WORKERS, 0.5, 15),
)
SATURATED_INSTANCES = 200
_PUSH_INTERVALS = (15, 60)


@dataclass
class Results:
    """Everything that was measured, kept in a file so that parts can be measured one by one."""

    machine: str = ""
    sizes: dict[int, Measured] = field(default_factory=dict)
    rules: list[RuleCost] = field(default_factory=list)
    gateway: Saturated | None = None

    def write(self, path: Path) -> None:
        """As JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def read_results(path: Path) -> Results:
    """What was measured before; nothing where there is no such file."""
    if not path.exists():
        return Results()
    content = json.loads(path.read_text(encoding="utf-8"))
    gateway = content["gateway"]
    return Results(
        content["machine"],
        {int(size): Measured(**one) for size, one in content["sizes"].items()},
        [_read_rule_cost(one) for one in content["rules"]],
        Saturated(**gateway) if gateway else None,
    )


def _read_rule_cost(content: dict[str, Any]) -> RuleCost:
    groups = tuple(GroupCost(**group) for group in content.pop("groups"))
    return RuleCost(case=Case(**content.pop("case")), groups=groups, **content)


def run(arguments: list[str]) -> int:
    """Measure what was asked for, and write the page."""
    asked = _read_arguments(arguments)
    results = read_results(asked.results)
    if asked.only != "page":
        results.machine = describe_machine()
        _measure(asked, results)
    if asked.print or not _is_complete(results):
        print(json.dumps(asdict(results), indent=1))
        return 0
    prices = Prices(fee=asked.fee, included=asked.included, thousand=asked.thousand)
    text = render(results, prices)
    write_generated(PAGE, COMMAND, text)
    draw(PICTURE, results.sizes, COMPUTED, build_model(results.rules))
    return 0


def _read_arguments(arguments: list[str]) -> argparse.Namespace:
    prices, timing = Prices(), Timing()
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    add = parser.add_argument
    add("--sizes", default="1,10,100", help="numbers of replicas (%(default)s)")
    add("--seconds", type=float, default=timing.measured, help="of each size (%(default)g)")
    add("--models", type=Path, default=ROOT / "models", help="folder of the published model")
    add("--only", choices=("sizes", "rules", "gateway", "page"), help="one part of all")
    add("--results", type=Path, default=ROOT / ".run" / "scaling.json",
        help="file that keeps what was measured (.run/scaling.json)")  # fmt: skip
    add("--fee", type=float, default=prices.fee, help="Grafana Cloud: $ a month (%(default)g)")
    add("--included", type=int, default=prices.included, help="series in it (%(default)d)")
    add("--thousand", type=float, default=prices.thousand,
        help="$ a month for 1,000 series beyond them (%(default)g)")  # fmt: skip
    add("--print", action="store_true", help="print only, and leave docs/scaling.md as it is")
    return parser.parse_args(arguments)


def _measure(asked: argparse.Namespace, results: Results) -> None:
    template = record_push(asked.models, 60, Timing().interval)
    if asked.only in (None, "sizes"):
        for size in (int(each) for each in asked.sizes.split(",")):
            _say(f"{size} replicas")
            timing = Timing(measured=asked.seconds)
            results.sizes[size] = measure(template, size, WORKERS, timing)
            results.write(asked.results)
    if asked.only in (None, "rules"):
        results.rules = []
        for case in RULE_CASES:
            _say(f"rules: {case}")
            results.rules.append(measure_rules(template, case))
            results.write(asked.results)
    if asked.only in (None, "gateway"):
        _say("one Collector, as much as it takes")
        results.gateway = saturate(template, SATURATED_INSTANCES, 60)
    results.write(asked.results)


def _is_complete(results: Results) -> bool:
    return len(results.sizes) >= 3 and len(results.rules) >= 3


def render(results: Results, prices: Prices) -> str:
    """What stands between the markers of docs/scaling.md."""
    model = build_model(results.rules)
    sizes = [*sorted(results.sizes), COMPUTED]
    worst, off = largest_deviation(results.sizes, COMPUTED)
    return "\n\n".join(
        [
            _introduce(results, prices),
            format_sizes(results.sizes, COMPUTED, prices, model),
            f"Largest deviation of the computed from the measured: {off:+.0%} ({worst}).",
            format_cases(results.rules),
            f"By the line through them {model.line.slope * 1e9:.0f} ns a sample and"
            f" {model.line.constant:.2f} s for all expressions; the same from all but the case with"
            f" most samples misses that by {model.error:+.0%}. Computed for full windows:",
            format_computed(model, sizes, _PUSH_INTERVALS),
            format_limits(results.sizes, model, results.gateway),
        ]
    )


def _introduce(results: Results, prices: Prices) -> str:
    any_size = next(iter(results.sizes.values()))
    each = any_size.pushed_series // any_size.replicas
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {results.machine}; sender, Collector and Prometheus on the"
        f" same machine. {WORKERS} workers a replica, {each:,} series, a push each"
        f" {Timing().interval:g} s; counts grow as under {RATE} requests a second and worker with"
        f" labels. Cost: plan Pro, ${prices.fee:g} a month with {prices.included:,} series,"
        f" ${prices.thousand:g} for 1,000 more of one sample a minute"
        f" (<https://grafana.com/pricing> as quoted up to {PRICES_READ}; without discounts for"
        " volume)."
    )


def _say(what: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {what}", file=sys.stderr, flush=True)
