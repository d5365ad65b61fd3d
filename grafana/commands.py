"""What each command does; the exit code is 0, or 1 if it found something wrong."""

from __future__ import annotations

import os
from argparse import Namespace

from grafana import generate, report
from grafana.cloud import budget, upload, verify
from grafana.cloud.access import (
    FOR_DASHBOARDS,
    FOR_METRICS,
    grafana_access,
    query_access,
    read_settings,
    ruler_access,
)
from grafana.cloud.links import Links
from grafana.panels import dashboards
from grafana.render.board import render
from prometheus.client.http import Client
from prometheus.client.query import Prometheus


def generate_files(_: Namespace) -> int:
    """Write what follows from grafana/panels/."""
    for path in generate.write():
        print(f"wrote {path}")
    return 0


def check_files(_: Namespace) -> int:
    """Name the generated files that are not current."""
    outdated = generate.find_outdated()
    for path in outdated:
        print(f"{path} is not current: run `python -m grafana generate`")
    return 1 if outdated else 0


def verify_queries(options: Namespace) -> int:
    """Run every query of every dashboard and print what a reader would see."""
    prometheus = _prometheus(options)
    interval = verify.CLOUD_RATE_INTERVAL if options.cloud else verify.LOCAL_RATE_INTERVAL
    faults = 0
    for dashboard in dashboards().values():
        content = render(dashboard)
        choices = verify.choices(content, prometheus)
        findings = verify.verify(dashboard, prometheus, __rate_interval=interval)
        print("\n".join([dashboard.title, *report.describe_findings(choices, findings)]))
        faults += sum(not choice.values for choice in choices)
        faults += sum(finding.fault is not None for finding in findings)
    print(f"{faults} empty or NaN")
    return 1 if faults else 0


def upload_all(options: Namespace) -> int:
    """Bring dashboards and rules to Grafana Cloud, after everything has been read and planned."""
    with_dashboards = options.only != "rules"
    with_rules = options.only == "rules" or (
        options.only is None and any(options.rules.glob("*.yml"))
    )
    required = FOR_DASHBOARDS * with_dashboards + FOR_METRICS * with_rules
    settings = read_settings(os.environ, required)
    steps: list[upload.Step] = []
    if with_dashboards:
        steps += upload.plan_dashboards(grafana_access(settings))
    if with_rules:
        steps += upload.plan_rules(ruler_access(settings), options.rules, Links.of(settings))
    for step in steps:
        if step.take and not options.dry_run:
            step.take()
        print(f"{step.action:9} {step.what}")
    if options.dry_run:
        print("dry run: nothing was changed")
    return 0


def measure_budget(options: Namespace) -> int:
    """Count series and samples, and hold them against the plan."""
    found = budget.measure(
        _prometheus(options), interval_seconds=options.interval, limit=options.limit
    )
    print("\n".join(report.describe_budget(found)))
    return 0 if found.is_within_limit else 1


def _prometheus(options: Namespace) -> Prometheus:
    if options.cloud:
        return query_access(read_settings(os.environ, FOR_METRICS))
    return Prometheus(Client(options.prometheus, setting="--prometheus"))
