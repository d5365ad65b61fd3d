#!/usr/bin/env bash
# Puts the project of .railway/railway.py on Railway: checks the tools, shows the plan, asks, applies it,
# sets the secrets, uploads and deploys each service, waits until /health answers, prints the address.
# It can be run again: what is there already is kept.
set -euo pipefail

readonly SERVICES="collector handler simulator"
readonly GRAFANA_SECRETS="GRAFANA_CLOUD_OTLP_ENDPOINT GRAFANA_CLOUD_OTLP_ID GRAFANA_CLOUD_TOKEN"
readonly MADE_SECRETS="ACCESS_TOKEN RECEIPT_KEYS"
readonly DEPLOY_TIMEOUT_SECONDS="${DEPLOY_TIMEOUT_SECONDS:-900}"
readonly HEALTH_TIMEOUT_SECONDS="${HEALTH_TIMEOUT_SECONDS:-180}"
readonly POLL_SECONDS="${POLL_SECONDS:-5}"

dry_run=false
assume_yes=false
new_project=""

usage() {
    cat <<'TEXT'
usage: ./deploy_railway.sh [--dry-run] [--yes] [--new NAME]

  --dry-run   check the tools, show what would be created and run, change nothing
  --yes       do not ask before deploying (needed without a terminal)
  --new NAME  make a new Railway project called NAME and link this folder to it

Sign in first with `railway login` (or set RAILWAY_TOKEN, a project token, in CI).
Set these in the environment for the first deployment, from Grafana Cloud's page "OpenTelemetry":
  GRAFANA_CLOUD_OTLP_ENDPOINT  GRAFANA_CLOUD_OTLP_ID  GRAFANA_CLOUD_TOKEN
ACCESS_TOKEN is what /feedback, /metrics and /simulate_traffic ask for, and without a token the handler does not
start there; RECEIPT_KEYS sign the receipts of predictions:
each is made once if you set none.
SIMULATOR_CRON and GITHUB_REPO change the project: see .railway/railway.py.

exit codes: 0 deployed (or dry run fine), 1 something failed, 2 wrong use or a tool missing, 3 you said no
TEXT
}

say() { printf '==> %s\n' "$*"; }

fail() {
    local code=$1
    shift
    printf 'deploy_railway.sh: %s\n' "$*" >&2
    exit "$code"
}

# Runs a command that changes something, or in a dry run only names it.
change() {
    if $dry_run; then
        printf '    would run: %s\n' "$*"
    else
        "$@"
    fi
}

read_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
            --dry-run) dry_run=true ;;
            --yes) assume_yes=true ;;
            --new)
                [ $# -ge 2 ] || fail 2 "--new needs the name of the project"
                new_project=$2
                shift
                ;;
            -h | --help)
                usage
                exit 0
                ;;
            *) fail 2 "unknown argument '$1'; --help lists them" ;;
        esac
        shift
    done
}

check_tools() {
    command -v railway >/dev/null ||
        fail 2 "the Railway CLI is missing; install it as https://docs.railway.com/cli says, for instance: npm install -g @railway/cli"
    railway config plan --help >/dev/null 2>&1 ||
        fail 2 "this Railway CLI ($(railway --version 2>/dev/null || echo 'version unknown')) has no 'config plan'; update it with: railway upgrade"
    command -v curl >/dev/null || fail 2 "curl is missing; install it with your system's package manager"
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            python=$candidate
            return
        fi
    done
    fail 2 "Python 3.10 or newer is missing; the Railway CLI runs .railway/railway.py with it"
}

# The CLI runs the first python3 on PATH: an environment that has what railway.py imports.
prepare_python() {
    local lock=.railway/requirements.txt venv=.venv/railway
    if ! cmp -s "$lock" "$venv/installed.txt"; then
        say "Preparing $venv"
        "$python" -m venv --clear "$venv"
        "$venv/bin/python3" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
        cp "$lock" "$venv/installed.txt"
    fi
    PATH="$PWD/$venv/bin:$PATH"
    export PATH
}

show_resources() {
    say "The project that .railway/railway.py describes"
    python3 - <<'PY'
import importlib.util

spec = importlib.util.spec_from_file_location("railway_project", ".railway/railway.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
for resource in module.main().to_graph()["resources"]:
    deploy = resource.get("deploy", {})
    schedule = f", runs at {deploy['cronSchedule']!r} UTC" if "cronSchedule" in deploy else ""
    print(f"    {resource['type']:8} {resource['name']}{schedule}")
PY
}

signed_in() {
    # A project token has no user behind it, so `whoami` would refuse it.
    [ -n "${RAILWAY_TOKEN:-}" ] || railway whoami >/dev/null 2>&1
}

linked() { railway status --json >/dev/null 2>&1; }

link_project() {
    if [ -n "$new_project" ]; then
        say "Making the Railway project '$new_project'"
        change railway init --name "$new_project" --json
    elif ! linked; then
        $dry_run || fail 2 "this folder is not linked to a Railway project; run 'railway link', or pass --new NAME for a new one"
        say "This folder is not linked to a Railway project yet: 'railway link' or --new NAME comes first"
    fi
}

ask() {
    $assume_yes && return
    [ -t 0 ] || fail 2 "there is no terminal to ask on; pass --yes to deploy without asking"
    local answer
    printf 'Apply this plan and deploy %s? [y/N] ' "$SERVICES"
    read -r answer
    case $answer in
        y | Y | yes) ;;
        *) fail 3 "nothing was changed" ;;
    esac
}

# Names, one a line, of the variables that the service $1 has on Railway.
variable_names() {
    railway variable list --service "$1" --json | python3 -c 'import json, sys; print("\n".join(json.load(sys.stdin)))'
}

# By standard input: an argument could be read by every process of this machine.
set_secret() {
    printf '%s' "$3" | railway variable set "$2" --stdin --service "$1" --skip-deploys --json >/dev/null
    say "Set $2 on $1"
}

check_grafana_secrets() {
    local name missing="" present=""
    if [ -z "$new_project" ] && linked; then
        # No such service yet: nothing is set there.
        present=$(variable_names collector 2>/dev/null || true)
    fi
    for name in $GRAFANA_SECRETS; do
        [ -n "${!name:-}" ] || grep -qx "$name" <<<"$present" || missing="$missing $name"
    done
    [ -z "$missing" ] || fail 2 "not set, here or on Railway:$missing (docs/grafana_cloud_setup.md says where to find them)"
}

set_secrets() {
    local name present
    for name in $GRAFANA_SECRETS; do
        [ -z "${!name:-}" ] || set_secret collector "$name" "${!name}"
    done
    present=$(variable_names handler)
    for name in $MADE_SECRETS; do
        if [ -n "${!name:-}" ]; then
            set_secret handler "$name" "${!name}"
        elif ! grep -qx "$name" <<<"$present"; then
            set_secret handler "$name" "$(python3 -c 'import secrets; print(secrets.token_urlsafe(32))')"
        fi
    done
}

latest_status() {
    railway deployment list --service "$1" --limit 1 --json |
        python3 -c 'import json, sys; found = json.load(sys.stdin); print(found[0]["status"] if found else "NONE")'
}

wait_for_deployment() {
    local service=$1 status="" deadline=$((SECONDS + DEPLOY_TIMEOUT_SECONDS))
    while [ $SECONDS -lt $deadline ]; do
        status=$(latest_status "$service")
        case $status in
            SUCCESS | SLEEPING)
                say "$service is deployed"
                return
                ;;
            FAILED | CRASHED | REMOVED | SKIPPED)
                fail 1 "the deployment of $service ended as $status; see: railway logs --service $service --latest --lines 100"
                ;;
        esac
        sleep "$POLL_SECONDS"
    done
    fail 1 "$service was not deployed within $DEPLOY_TIMEOUT_SECONDS s (it is $status); see: railway logs --service $service --latest --lines 100"
}

deploy_services() {
    local service message
    message="deploy $(git rev-parse --short HEAD 2>/dev/null || date -u +%Y-%m-%dT%H:%M:%SZ)"
    for service in $SERVICES; do
        say "Deploying $service"
        change railway up --service "$service" --ci --message "$message"
        $dry_run || wait_for_deployment "$service"
    done
}

# Makes a public address for the handler, or finds the one that it has.
public_url() {
    railway domain --service handler --port 5000 --json |
        python3 -c 'import json, sys; found = json.load(sys.stdin); print(found.get("domain") or found["domains"][0])'
}

wait_for_health() {
    local url=$1 deadline=$((SECONDS + HEALTH_TIMEOUT_SECONDS))
    say "Waiting for $url/health"
    while [ $SECONDS -lt $deadline ]; do
        if curl --silent --fail --max-time 10 --output /dev/null "$url/health"; then
            say "It answers: $url"
            return
        fi
        sleep "$POLL_SECONDS"
    done
    fail 1 "$url/health did not answer within $HEALTH_TIMEOUT_SECONDS s; see: railway logs --service handler --lines 100"
}

main() {
    read_arguments "$@"
    cd "$(dirname "${BASH_SOURCE[0]}")"
    # railway.toml is here for old services only; the CLI would warn about it at every command.
    export RAILWAY_CAC_DEPRECATION_WARNING=0
    check_tools
    prepare_python
    show_resources

    if ! signed_in; then
        $dry_run || fail 2 "not signed in to Railway; run 'railway login', or set RAILWAY_TOKEN"
        say "Not signed in to Railway: 'railway login' comes first"
    fi
    $dry_run || check_grafana_secrets
    link_project
    if signed_in && linked; then
        say "What Railway would change"
        railway config plan
    fi
    $dry_run || ask

    say "Applying .railway/railway.py"
    change railway config apply --yes
    if $dry_run; then
        say "The secrets would be set with: railway variable set NAME --stdin --service SERVICE --skip-deploys"
    else
        set_secrets
    fi
    deploy_services
    if $dry_run; then
        change railway domain --service handler --port 5000 --json
        say "Dry run: nothing was changed"
        return
    fi
    wait_for_health "$(public_url)"
    say "Its access token: railway variable list --service handler --kv"
}

main "$@"
