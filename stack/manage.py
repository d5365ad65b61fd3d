"""`stop`, `status` and `clean`, from another terminal than the one that shows the stack."""

from __future__ import annotations

import shutil
import signal
import time

from . import engine, native, state
from .alerting import firing, with_ways
from .errors import StackError
from .figures import PageFigures, PrometheusFigures, Source
from .processes import alive, read_records, stop
from .settings import Settings
from .supervisor import RECORDS

NOT_RUNNING = 3
STOP_SECONDS = native.STOP_SECONDS + 5


def stop_running(settings: Settings) -> int:
    """Ends the stack and what an earlier one left behind; 0 also when nothing ran."""
    current = state.running(settings.run)
    if current is not None:
        process = alive(current.process)
        if process is not None:
            process.send_signal(signal.SIGTERM)
        if not _wait_for_end(settings):
            stop([current.process], grace_seconds=0)
    native.stop_left_over(settings, print)
    left = state.read(settings.run)
    if left is not None and left.mode == state.DOCKER:
        engine.find(settings.root).down()
    state.clear(settings.run)
    print("Stopped." if current or left else "Nothing was running.")
    return 0


def _wait_for_end(settings: Settings) -> bool:
    until = time.monotonic() + STOP_SECONDS
    while time.monotonic() < until:
        if not state.is_held(settings.run):
            return True
        time.sleep(0.1)
    return False


def show_status(settings: Settings) -> int:
    """Prints what runs; 0 when it runs, 3 when not."""
    current = state.running(settings.run)
    if current is None:
        left = [r.name for r in read_records(settings.run / RECORDS) if alive(r) is not None]
        more = f" Left behind: {', '.join(left)}; `stop` ends them." if left else ""
        print(f"Not running.{more}")
        return NOT_RUNNING
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(current.started))
    print(f"Running ({current.mode}) since {since}, pid {current.process.pid}.")
    for name, address in with_ways(current.addresses).items():
        print(f"  {name:<12} {address}")
    if "Alerts" in current.addresses:
        print(f"  {'Firing':<12} {firing(current.addresses['Alerts'])}")
    for record in read_records(settings.run / RECORDS):
        process = alive(record)
        print(f"  {record.name:<12} {f'pid {record.pid}' if process else 'ended'}")
    print(f"  {_source(current).read().line()}")
    return 0


def _source(current: state.State) -> Source:
    prometheus = current.addresses.get("Prometheus")
    if prometheus is not None:
        # A remark may follow the address.
        return PrometheusFigures(prometheus.split()[0])
    return PageFigures(current.addresses["Handler"], {})


def clean(settings: Settings) -> int:
    """Removes the data and logs of the native stack; refuses while it runs."""
    if state.is_held(settings.run):
        raise StackError("The stack is running; end it first with `./start_mlops.sh stop`.")
    for folder in (settings.run, settings.logs):
        shutil.rmtree(folder, ignore_errors=True)
    print("Removed .run/ and logs/; environments, programs and models are kept.")
    return 0
