"""deploy/kubernetes/secrets.sh: all at first, later only what is missing, and so that it fits."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

import pytest

from tests.kubernetes.kustomization import KUBERNETES, parse

Secrets = dict[str, dict[str, str]]
# A stand-in: names of the Secrets in a folder, or the value of one key of one of them.
KUBECTL = """#!/bin/sh
[ "$*" = "${*#*get secret }" ] && exit 9
shift 4
[ -d "$CLUSTER" ] || { echo "The connection was refused" >&2; exit 1; }
case $1 in
  --output) for f in "$CLUSTER"/*; do [ -d "$f" ] && echo "secret/${f##*/}"; done; exit 0 ;;
esac
key=${3#jsonpath=\\{.data.}
[ ! -f "$CLUSTER/$1/${key%\\}}" ] || cat "$CLUSTER/$1/${key%\\}}"
"""


class Cluster:
    """Secrets as files, behind the stand-in for kubectl."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bin = folder / "cluster", folder / "bin"
        self.folder.mkdir()
        self.bin.mkdir()
        (self.bin / "kubectl").write_text(KUBECTL)
        (self.bin / "kubectl").chmod(0o755)
        self.said = ""

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.bin}:{os.environ['PATH']}"
        variables = {**os.environ, "PATH": path, "CLUSTER": str(self.folder), **environ}
        command = ["sh", str(KUBERNETES / "secrets.sh"), *arguments]
        return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)

    def create(self, **environ: str) -> Secrets:
        """What the command on the page adds; gives all that is there now."""
        ran = self.run(**environ)
        assert ran.returncode == 0, ran.stderr
        self.said = ran.stderr
        for one in parse(ran.stdout):
            self.add(one["metadata"]["name"], one["stringData"])
        return self.read()

    def add(self, name: str, content: dict[str, str]) -> None:
        (self.folder / name).mkdir()
        for key, value in content.items():
            encoded = base64.b64encode(value.encode()).decode()
            (self.folder / name / key).write_text(encoded)

    def remove(self, name: str) -> None:
        for path in (self.folder / name).iterdir():
            path.unlink()
        (self.folder / name).rmdir()

    def read(self) -> Secrets:
        return {
            folder.name: {
                path.name: base64.b64decode(path.read_text()).decode() for path in folder.iterdir()
            }
            for folder in self.folder.iterdir()
        }


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path)


def fits(secrets: Secrets) -> bool:
    """Handler, Collector and Redis let each other in."""
    handler = secrets["handler-secrets"]
    password = secrets["redis-secrets"]["REDIS_PASSWORD"]
    return (
        handler["OTLP_TOKEN"] in secrets["collector-secrets"]["OTLP_TOKEN"].split(",")
        and handler["REDIS_URL"] == f"redis://:{password}@redis:6379/0"
        and all(len(value) >= 24 for one in secrets.values() for value in one.values())
    )


def test_an_empty_cluster_gets_all_and_a_second_run_nothing(cluster: Cluster) -> None:
    first = cluster.create()
    assert len(first) == 4 and fits(first) and cluster.said == ""
    assert cluster.create() == first
    assert cluster.said == "secrets.sh: all Secrets are there, none is made.\n"


@pytest.mark.parametrize(
    "gone", ["handler-secrets", "collector-secrets", "redis-secrets", "grafana-secrets"]
)
def test_one_that_was_deleted_comes_back_so_that_it_fits_the_others(
    cluster: Cluster, gone: str
) -> None:
    before = cluster.create()
    cluster.remove(gone)
    cluster.add(
        "alertmanager-secrets", {"ALERT_WEBHOOK_URL": "https://example.org/of-somebody-else"}
    )
    after = cluster.create()
    assert fits(after)
    assert {name: one for name, one in after.items() if name in before and name != gone} == {
        name: one for name, one in before.items() if name != gone
    }
    assert f"made to fit those that are there: {gone}." in cluster.said
    assert ("ACCESS_TOKEN is another now" in cluster.said) == (gone == "handler-secrets")


def test_while_a_token_is_replaced_the_first_of_both_is_taken(cluster: Cluster) -> None:
    cluster.create()
    cluster.remove("collector-secrets")
    cluster.remove("handler-secrets")
    cluster.add("collector-secrets", {"OTLP_TOKEN": f"{'n' * 24},{'o' * 24}"})
    after = cluster.create()
    assert fits(after) and after["handler-secrets"]["OTLP_TOKEN"] == "n" * 24


def test_a_redis_of_ones_own_stays(cluster: Cluster) -> None:
    own = "rediss://:p%40ss@redis.example:6379/0"
    assert cluster.create(REDIS_URL=own)["handler-secrets"]["REDIS_URL"] == own
    cluster.remove("redis-secrets")
    after = cluster.create()
    assert after["handler-secrets"]["REDIS_URL"] == own
    assert "p%40ss" not in after["redis-secrets"]["REDIS_PASSWORD"]


@pytest.mark.parametrize(
    ("name", "content", "gone", "said"),
    [
        pytest.param(
            "collector-secrets", {"OTHER": "x"}, "handler-secrets", "no OTLP_TOKEN", id="key"
        ),
        pytest.param(
            "redis-secrets",
            {"REDIS_PASSWORD": "a@b"},
            "handler-secrets",
            "set REDIS_URL",
            id="signs",
        ),
    ],
)
def test_what_cannot_be_made_to_fit_is_said_and_nothing_is_printed(
    cluster: Cluster, name: str, content: dict[str, str], gone: str, said: str
) -> None:
    cluster.create()
    cluster.remove(gone)
    cluster.remove(name)
    cluster.add(name, content)
    ran = cluster.run()
    assert ran.returncode == 1 and ran.stdout == ""
    assert said in ran.stderr


def test_without_a_cluster_nothing_is_made_up_unless_all_is_asked_for(cluster: Cluster) -> None:
    """Made up beside Secrets that nobody saw, they might not fit them."""
    gone = {"CLUSTER": "/nowhere"}
    ran = cluster.run(**gone)
    assert ran.returncode == 1 and ran.stdout == ""
    assert ran.stderr.endswith("which Secrets exist (above); --all prints all of them.\n")
    printed = list(parse(cluster.run("--all", **gone).stdout))
    assert fits({one["metadata"]["name"]: one["stringData"] for one in printed})


def test_a_value_with_quotation_marks_is_yaml(cluster: Cluster) -> None:
    address = r'redis://:a"b\c#d$e@redis.example:6379/0'
    assert cluster.create(REDIS_URL=address)["handler-secrets"]["REDIS_URL"] == address
