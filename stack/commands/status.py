"""`status`: what runs, where it answers, what fires, and its key metrics."""

from __future__ import annotations

import os
import time

from stack import state
from stack.monitoring.alerts import describe_firing, with_receivers
from stack.monitoring.key_metrics import MetricsPageSource, PrometheusSource, Source
from stack.settings import Settings
from stack.supervision.records import find_running, read_records
from stack.supervision.supervisor import RECORDS

NOT_RUNNING = 3


def show_status(settings: Settings) -> int:
    """Prints what runs; 0 when it runs, 3 when not."""
    current = state.read_running(settings.run)
    if current is None:
        left = [r.name for r in read_records(settings.run / RECORDS) if find_running(r) is not None]
        more = f" Left behind: {', '.join(left)}; `stop` ends them." if left else ""
        print(f"Not running.{more}")
        return NOT_RUNNING
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(current.started))
    print(f"Running ({current.mode}) since {since}, pid {current.process.pid}.")
    for name, address in with_receivers(current.addresses).items():
        print(f"  {name:<12} {address}")
    if "Alerts" in current.addresses:
        print(f"  {'Firing':<12} {describe_firing(current.addresses['Alerts'])}")
    for record in read_records(settings.run / RECORDS):
        process = find_running(record)
        print(f"  {record.name:<12} {f'pid {record.pid}' if process else 'ended'}")
    print(f"  {_key_metrics(current).read().line()}")
    return 0


def _key_metrics(current: state.State) -> Source:
    prometheus = current.addresses.get("Prometheus")
    if prometheus is not None:
        # A remark may follow the address.
        return PrometheusSource(prometheus.split()[0])
    token = os.environ.get("ACCESS_TOKEN", "").split(",")[0].strip()
    return MetricsPageSource(current.addresses["Handler"], token)
