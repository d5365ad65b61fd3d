"""The command line: `python -m grafana generate|check|verify|upload|budget`."""

from __future__ import annotations

import sys

try:
    from grafana.arguments import parser
except ModuleNotFoundError as missing:
    sys.exit(f"grafana: {missing.name} is not installed here; ask .venv/ops/bin/python -m grafana")
from grafana.errors import GrafanaError
from prometheus.client.errors import RequestError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 fine, 1 found something wrong, 2 could not do it."""
    options = parser().parse_args(arguments)
    try:
        result: int = options.run(options)
    except (GrafanaError, RequestError) as error:
        print(f"grafana: {error}", file=sys.stderr)
        return 2
    return result


if __name__ == "__main__":
    sys.exit(main())
