"""What `up` prints: plain lines, and the table of addresses."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table


def print_message(text: str) -> None:
    """One line for the person, at once also where the output is piped."""
    print(text, flush=True)


def print_addresses(addresses: Mapping[str, str], logs: str) -> None:
    """The table of addresses."""
    table = Table(show_header=False)
    for name, address in addresses.items():
        table.add_row(name, address)
    table.add_row("Logs", logs)
    table.add_row("Stop", "Ctrl-C, or ./start_mlops.sh stop")
    Console(file=sys.stdout, highlight=False).print(table)


def last_line(error: Exception) -> str:
    """The end of a long message: what a failed command said last."""
    return str(error).strip().splitlines()[-1].strip().rstrip(".")
