"""Three nodes of Cortex in the place of Prometheus: what they are given, and what goes with them.

    Collector, agent ─▶ reverse proxy ─▶ cortex-1, cortex-2, cortex-3 ─▶ Alertmanager
                              ▲
             live view, Grafana, `status`: at the address where Prometheus would be

The agent is a Prometheus that only scrapes and forwards: the stack's own health, as the store's
Prometheus does it. Nodes are configured by deploy/cortex/, which Kubernetes uses too.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from stack.settings import CORTEX_PORT, Settings

NODES = ("cortex-1", "cortex-2", "cortex-3")
PROXY = "reverse-proxy"
AGENT = "prometheus-agent"
# Cortex with one tenant asks for none of these.
_NOT_ASKED_FOR = (
    "REMOTE_WRITE_USERNAME",
    "REMOTE_WRITE_PASSWORD",
    "REMOTE_WRITE_BEARER_TOKEN",
    "REMOTE_WRITE_TENANT",
)


def node_url(settings: Settings, node: str) -> str:
    """The address of a node's API."""
    return f"http://127.0.0.1:{settings.ports[CORTEX_PORT.name] + NODES.index(node)}"


def agent_port(settings: Settings) -> int:
    """The last of the row."""
    return settings.ports[CORTEX_PORT.name] + CORTEX_PORT.count - 1


def cortex_environment(settings: Settings, program: Path) -> dict[str, str]:
    """What is the same for every node, and what the proxy and the agent are told.

    What differs between nodes is in Procfile.native.
    """
    first = settings.ports[CORTEX_PORT.name]
    gossip = range(first + 2 * len(NODES), first + 3 * len(NODES))
    return {
        "STACK_CORTEX": str(program),
        "CORTEX_PORT": str(first),
        "CORTEX_ADDRESS": "127.0.0.1",
        "CORTEX_LISTEN": "127.0.0.1",
        "CORTEX_JOIN": ",".join(f"127.0.0.1:{port}" for port in gossip),
        "CORTEX_RULES": str(settings.run / "cortex-rules"),
        "ALERTMANAGER_URL": settings.url("ALERTMANAGER_PORT"),
        "STACK_STORE_NODES": ",".join(node_url(settings, node) for node in NODES),
        "STACK_LIVE_VIEW": str(settings.run / "live-view"),
        "STACK_AGENT_PORT": str(agent_port(settings)),
        # Whatever the environment says: the nodes are the store of this start.
        "OTEL_COLLECTOR_ROUTE": "remote-write",
        "REMOTE_WRITE_URL": f"{settings.url('PROMETHEUS_PORT')}/api/v1/push",
        **dict.fromkeys(_NOT_ASKED_FOR, ""),
    }


def write_cortex_config(settings: Settings) -> None:
    """.run/cortex-rules with the project's rules as the tenant's, .run/agent-config with the
    agent's configuration and targets at the addresses of this start."""
    rules, agent = settings.run / "cortex-rules", settings.run / "agent-config"
    for folder in (rules, agent):
        shutil.rmtree(folder, ignore_errors=True)
    rules.mkdir(parents=True)
    (rules / "fake").symlink_to(settings.root / "prometheus" / "rules")
    (agent / "targets" / "alertmanager").mkdir(parents=True)
    (agent / "targets" / "cortex").mkdir()
    sources = {
        "agent.yml": "deploy/cortex/agent.yml",
        "targets/native.yml": "prometheus/targets/native.yml",
        "targets/alertmanager/native.yml": "prometheus/targets/alertmanager/native.yml",
    }
    for name, source in sources.items():
        (agent / name).write_text(_at_home((settings.root / source).read_text(), settings))
    nodes = [node_url(settings, node).removeprefix("http://") for node in NODES]
    (agent / "targets" / "cortex" / "native.yml").write_text(json.dumps([{"targets": nodes}]))


def _at_home(text: str, settings: Settings) -> str:
    """With the addresses of this start; the Prometheus among the targets is the agent itself."""
    ports = {
        "localhost:9090": agent_port(settings),
        "localhost:8888": settings.ports["COLLECTOR_METRICS_PORT"],
        "localhost:9093": settings.ports["ALERTMANAGER_PORT"],
        "cortex:9009": settings.ports["PROMETHEUS_PORT"],
    }
    for address, port in ports.items():
        text = text.replace(address, f"127.0.0.1:{port}")
    return text
