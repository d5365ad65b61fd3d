"""A stub of Railway's CLI: takes the arguments that the CLI documents and no others.

Each sub-command's options are those of the public reference (docs.railway.com/cli, CLI 5.43);
argparse refuses anything else with exit code 2. What it is given is kept as JSON in
$STUB_STATE/state.json, and every call is added to $STUB_STATE/calls.jsonl. Knobs:
STUB_SIGNED_OUT, STUB_URL (the address that `domain` gives out), STUB_STATUS (of each deployment).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ["STUB_STATE"])
EVALUATE = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("project", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(json.dumps(module.main().to_graph()))
"""


def load() -> dict[str, Any]:
    file = FOLDER / "state.json"
    empty: dict[str, Any] = {"linked": "", "services": [], "variables": {}, "deployed": []}
    return json.loads(file.read_text()) if file.exists() else empty


def save(state: dict[str, Any]) -> None:
    (FOLDER / "state.json").write_text(json.dumps(state))


def refuse(sentence: str) -> None:
    print(sentence, file=sys.stderr)
    sys.exit(1)


def list_desired_services() -> list[str]:
    """As the CLI does it: the python3 that comes first on PATH runs the file."""
    ran = subprocess.run(
        ["python3", "-c", EVALUATE, ".railway/railway.py"], check=True, capture_output=True
    )
    return [r["name"] for r in json.loads(ran.stdout)["resources"] if r["type"] == "service"]


def whoami(_: argparse.Namespace, __: dict[str, Any]) -> None:
    if os.environ.get("STUB_SIGNED_OUT") or os.environ.get("RAILWAY_TOKEN"):
        refuse("Unauthorized. Please login with `railway login`")


def status(_: argparse.Namespace, state: dict[str, Any]) -> None:
    if not state["linked"]:
        refuse("No linked project found. Run railway link to connect to a project")
    print(json.dumps({"name": state["linked"]}))


def init(args: argparse.Namespace, state: dict[str, Any]) -> None:
    state["linked"] = args.name
    print(json.dumps({"name": args.name}))


def plan(_: argparse.Namespace, state: dict[str, Any]) -> None:
    for name in list_desired_services():
        if name not in state["services"]:
            print(f"  + Create service {name}")


def apply(args: argparse.Namespace, state: dict[str, Any]) -> None:
    if not args.yes:
        refuse("Run `railway config apply --yes` to apply changes non-interactively.")
    state["services"] = list_desired_services()


def require_service(state: dict[str, Any], name: str) -> str:
    if name not in state["services"]:
        refuse(f"Service {name!r} not found")
    return name


def variable_list(args: argparse.Namespace, state: dict[str, Any]) -> None:
    print(json.dumps(state["variables"].get(require_service(state, args.service), {})))


def variable_set(args: argparse.Namespace, state: dict[str, Any]) -> None:
    if not args.stdin or len(args.variables) != 1 or "=" in args.variables[0]:
        refuse("a secret on the command line")
    of_service = state["variables"].setdefault(require_service(state, args.service), {})
    of_service[args.variables[0]] = sys.stdin.read()


def up(args: argparse.Namespace, state: dict[str, Any]) -> None:
    state["deployed"].append(require_service(state, args.service))


def deployment_list(args: argparse.Namespace, state: dict[str, Any]) -> None:
    found = []
    if args.service in state["deployed"]:
        found = [{"id": "1", "status": os.environ.get("STUB_STATUS", "SUCCESS")}]
    print(json.dumps(found))


def domain(args: argparse.Namespace, state: dict[str, Any]) -> None:
    require_service(state, args.service)
    if state.get("domain"):
        print(json.dumps({"domains": [state["domain"]]}))
        return
    state["domain"] = os.environ["STUB_URL"]
    print(json.dumps({"domain": state["domain"]}))


Commands = argparse._SubParsersAction  # argparse has no public name for it


def add_command(
    commands: Commands[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace, dict[str, Any]], None],
    *flags: str,
) -> argparse.ArgumentParser:
    made = commands.add_parser(name, allow_abbrev=False)
    for flag in flags:
        made.add_argument(flag, action="store_true")
    made.set_defaults(run=run)
    return made


def add_service_options(made: argparse.ArgumentParser) -> argparse.ArgumentParser:
    made.add_argument("-s", "--service", required=True)
    made.add_argument("-e", "--environment")
    return made


def make_parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="railway", allow_abbrev=False)
    top.add_argument("--version", action="version", version="railway 5.43.1")
    commands = top.add_subparsers(required=True)
    add_project_commands(commands)
    add_service_commands(commands)
    return top


def add_project_commands(commands: Commands[argparse.ArgumentParser]) -> None:
    add_command(commands, "whoami", whoami, "--json")
    add_command(commands, "status", status, "--json")
    made = add_command(commands, "init", init, "--json")
    made.add_argument("-n", "--name", required=True)
    made.add_argument("-w", "--workspace")
    config = commands.add_parser("config", allow_abbrev=False).add_subparsers(required=True)
    shared = ("--json", "--decrypt-variables", "--verbose", "--show-values")
    made = add_command(config, "plan", plan, "--detailed-exit-code", *shared)
    made.add_argument("--file")
    made = add_command(config, "apply", apply, "--yes", "--confirm-destructive", *shared)
    made.add_argument("--file")


def add_service_commands(commands: Commands[argparse.ArgumentParser]) -> None:
    variable = commands.add_parser("variable", allow_abbrev=False).add_subparsers(required=True)
    add_service_options(add_command(variable, "list", variable_list, "-k", "--json"))
    made = add_command(variable, "set", variable_set, "--stdin", "--skip-deploys", "--json")
    add_service_options(made)
    made.add_argument("variables", nargs="+")
    made = add_command(commands, "up", up, "--detach", "--ci", "--yes", "--verbose")
    add_service_options(made).add_argument("-m", "--message")
    deployment = commands.add_parser("deployment", allow_abbrev=False)
    listing = add_command(
        deployment.add_subparsers(required=True), "list", deployment_list, "--json"
    )
    add_service_options(listing).add_argument("--limit", type=int, default=20)
    made = add_service_options(add_command(commands, "domain", domain, "--json"))
    made.add_argument("-p", "--port", type=int)


def main() -> None:
    with (FOLDER / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps(sys.argv[1:]) + "\n")
    args = make_parser().parse_args()
    state = load()
    args.run(args, state)
    save(state)


if __name__ == "__main__":
    main()
