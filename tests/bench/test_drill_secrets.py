"""The Secrets of the autoscaling drill."""

from __future__ import annotations

import pytest

from bench.scale.autoscaling.manifests import make_secrets


def test_secrets_are_made_without_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does the drill look for what exists in whatever cluster kubectl knows."""
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    names = [one["metadata"]["name"] for one in make_secrets()]
    assert names == ["handler-secrets", "collector-secrets", "redis-secrets", "grafana-secrets"]
