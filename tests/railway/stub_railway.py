"""A stand-in for Railway's CLI: takes the arguments that the CLI documents and no others.

Each sub-command's options are those of the public reference (docs.railway.com/cli, CLI 5.43);
argparse refuses anything else with exit code 2. What it is told is kept as JSON in
$STUB_STATE/state.json, and every call is added to $STUB_STATE/calls.jsonl. Knobs:
STUB_SIGNED_OUT, STUB_URL (the address that `domain` gives out), STUB_STATUS (of each deployment).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
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


def desired_services() -> list[str]:
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
    for name in desired_services():
        if name not in state["services"]:
            print(f"  + Create service {name}")


def apply(args: argparse.Namespace, state: dict[str, Any]) -> None:
    if not args.yes:
        refuse("Run `railway config apply --yes` to apply changes non-interactively.")
    state["services"] = desired_services()


def existing(state: dict[str, Any], name: str) -> str:
    if name not in state["services"]:
        refuse(f"Service {name!r} not found")
    return name


def variable_list(args: argparse.Namespace, state: dict[str, Any]) -> None:
    print(json.dumps(state["variables"].get(existing(state, args.service), {})))


def variable_set(args: argparse.Namespace, state: dict[str, Any]) -> None:
    if not args.stdin or len(args.variables) != 1 or "=" in args.variables[0]:
        refuse("a secret on the command line")
    of_service = state["variables"].setdefault(existing(state, args.service), {})
    of_service[args.variables[0]] = sys.stdin.read()


def up(args: argparse.Namespace, state: dict[str, Any]) -> None:
    state["deployed"].append(existing(state, args.service))


def deployment_list(args: argparse.Namespace, state: dict[str, Any]) -> None:
    found = []
    if args.service in state["deployed"]:
        found = [{"id": "1", "status": os.environ.get("STUB_STATUS", "SUCCESS")}]
    print(json.dumps(found))


def domain(args: argparse.Namespace, state: dict[str, Any]) -> None:
    existing(state, args.service)
    if state.get("domain"):
        print(json.dumps({"domains": [state["domain"]]}))
        return
    state["domain"] = os.environ["STUB_URL"]
    print(json.dumps({"domain": state["domain"]}))


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="railway", allow_abbrev=False)
    top.add_argument("--version", action="version", version="railway 5.43.1")
    words = top.add_subparsers(required=True)

    def word(parent: Any, name: str, run: Any, *flags: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = parent.add_parser(name, allow_abbrev=False)
        for flag in flags:
            made.add_argument(flag, action="store_true")
        made.set_defaults(run=run)
        return made

    def service_options(made: argparse.ArgumentParser) -> argparse.ArgumentParser:
        made.add_argument("-s", "--service", required=True)
        made.add_argument("-e", "--environment")
        return made

    word(words, "whoami", whoami, "--json")
    word(words, "status", status, "--json")
    made = word(words, "init", init, "--json")
    made.add_argument("-n", "--name", required=True)
    made.add_argument("-w", "--workspace")

    config = words.add_parser("config", allow_abbrev=False).add_subparsers(required=True)
    shared = ("--json", "--decrypt-variables", "--verbose", "--show-values")
    word(config, "plan", plan, "--detailed-exit-code", *shared).add_argument("--file")
    word(config, "apply", apply, "--yes", "--confirm-destructive", *shared).add_argument("--file")

    variable = words.add_parser("variable", allow_abbrev=False).add_subparsers(required=True)
    service_options(word(variable, "list", variable_list, "-k", "--json"))
    made = service_options(
        word(variable, "set", variable_set, "--stdin", "--skip-deploys", "--json")
    )
    made.add_argument("variables", nargs="+")

    made = service_options(word(words, "up", up, "--detach", "--ci", "--yes", "--verbose"))
    made.add_argument("-m", "--message")

    deployment = words.add_parser("deployment", allow_abbrev=False).add_subparsers(required=True)
    made = service_options(word(deployment, "list", deployment_list, "--json"))
    made.add_argument("--limit", type=int, default=20)

    made = service_options(word(words, "domain", domain, "--json"))
    made.add_argument("-p", "--port", type=int)
    return top


def main() -> None:
    with (FOLDER / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps(sys.argv[1:]) + "\n")
    args = parser().parse_args()
    state = load()
    args.run(args, state)
    save(state)


if __name__ == "__main__":
    main()
