#!/usr/bin/env bash
# Starts the whole service and shows it until Ctrl-C. Makes all that it needs first.
# Runs under the bash 3.2 of macOS too; everything beyond finding Python is in stack/.
set -eu

usage() {
  cat <<'TEXT'
usage: ./start_mlops.sh [command] [--native | --docker]

commands:
  (none), up   start everything: with Docker where an engine runs, else as local processes
  stop         end what runs
  status       what runs, where it answers, and its key metrics
  traces [ID]  the last kept traces of local processes, or one of them as a waterfall
  clean        remove the data and logs of local processes

options of up:
  --native     as local processes, even where there is Docker
  --docker     with Docker, or not at all
  --store S    with --native, what keeps the metrics: prometheus, or cortex (three nodes of it)

Settings, in the environment: PORT (5000), PROMETHEUS_PORT (9090), ALERTMANAGER_PORT (9093),
GRAFANA_PORT (3000), OTLP_PORT (4318), COLLECTOR_HEALTH_PORT (13133), COLLECTOR_METRICS_PORT (8888),
CORTEX_PORT (9400) and the nine after it.
TEXT
}

# CDPATH would make `cd` print, and choose, other folders.
unset CDPATH
root=$(cd "$(dirname "$0")" && pwd -P)

command=up
case "${1-}" in
  -h | --help | help) usage; exit 0 ;;
  up | stop | status | traces | clean) command=$1; shift ;;
  "" | -*) ;;
  *) echo "error: unknown command '$1'" >&2; usage >&2; exit 2 ;;
esac

case "$(uname -s)" in
  MINGW* | MSYS* | CYGWIN*)
    echo "error: on Windows run this inside WSL2, or use Docker Desktop: docker compose up -d --build" >&2
    exit 1 ;;
esac

find_python() {
  local name
  for name in python3 python3.13 python3.12 python3.11 python3.14 python; do
    if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      echo "$name"
      return
    fi
  done
  echo "error: Python 3.11 or newer with its venv module is needed, and none is on the PATH." >&2
  echo "Debian/Ubuntu: sudo apt install python3-venv · Fedora: sudo dnf install python3 · macOS: brew install python" >&2
  return 1
}

cd "$root"
python=$(find_python)
"$python" -m stack.environments ops
exec .venv/ops/bin/python -m stack "$command" "$@"
