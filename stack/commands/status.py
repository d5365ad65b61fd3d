"""`status`: what runs, where it answers, what fires, and what matters now."""

from __future__ import annotations

import os
import time

from prometheus.client.query import Prometheus
from stack import state
from stack.monitoring.alerts import describe_firing, with_receivers
from stack.monitoring.http import local_client
from stack.monitoring.key_metrics import StatsSource, ask_handler
from stack.monitoring.overview import describe_now
from stack.settings import SERVICE, Settings
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
    # A remark may follow the address.
    handler = ask_handler(current.addresses["Handler"].split()[0], os.environ)
    job = handler.ask_job()
    if "Alerts" in current.addresses:
        print(f"  {'Firing':<12} {describe_firing(current.addresses['Alerts'], job)}")
    for record in read_records(settings.run / RECORDS):
        process = find_running(record)
        print(f"  {record.name:<12} {f'pid {record.pid}' if process else 'ended'}")
    for line in _describe_now(settings, current, handler, job or SERVICE):
        print(f"  {line}")
    return 0


def _describe_now(
    settings: Settings, current: state.State, handler: StatsSource, job: str
) -> list[str]:
    """The Overview's top row; without a store of metrics the key metrics."""
    store = current.addresses.get("Prometheus") or current.addresses.get("Cortex")
    if store is not None:
        # A remark may follow an address.
        prometheus = Prometheus(local_client(store.split()[0]))
        return describe_now(settings.root, prometheus, job)
    return [handler.read().line()]
