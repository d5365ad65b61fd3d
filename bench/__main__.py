"""Throughput and p99 of `/predict` with telemetry on and off, beside a bare Flask application.

The variants take turns, round after round; printed are medians over the rounds and of the ratio to
'telemetry off'.
"""

from __future__ import annotations

import argparse

from bench.catalogue import format_measurements
from bench.variants import Pace, Turns, Variant, measure, median, median_ratio
from tests.lab.paths import ROOT

REFERENCE = "telemetry off"
VARIANTS = {
    "telemetry on": Variant(),
    "no trace leaves": Variant({"OTEL_TRACES_SAMPLER": "always_off"}),
    REFERENCE: Variant({"OTEL_SDK_DISABLED": "true"}),
    "bare Flask": Variant(application="bench.bare_flask:build()"),
}


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog=format_measurements(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    Pace(rounds=7, seconds=4, connections=4).add_options(parser)
    print(format_table(measure(VARIANTS, ROOT / "models", Pace.of(parser.parse_args()))))


def format_table(turns: Turns) -> str:
    """In Markdown, a row for each variant."""
    rows = [
        "| variant | requests/s | of telemetry off | p99 ms | of telemetry off |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, own in turns.items():
        rate, p99 = median(own, lambda t: t.rate), median(own, lambda t: t.p99_ms)
        rates = median_ratio(own, turns[REFERENCE], lambda t: t.rate)
        tails = median_ratio(own, turns[REFERENCE], lambda t: t.p99_ms)
        rows.append(f"| {name} | {rate:.0f} | {rates:.2f} | {p99:.1f} | {tails:.2f} |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
