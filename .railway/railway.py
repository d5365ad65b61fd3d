"""The project on Railway as code: handler (public), Collector (private), simulator (on a schedule).

Read by the Railway CLI, not by Railway: `railway config plan` and `railway config apply` run this
file with the `python3` that comes first on PATH, and it needs the package that
.railway/requirements.txt pins. `deploy_railway.sh` sees to both.

Trap: a value that is not named here is removed by the next `apply`, so every secret that is set
on Railway stands here as `preserve()`.
"""

from __future__ import annotations

import os
from typing import Any

from railway_sdk import define_railway, github, preserve, project, service, volume

# Without it a service has no source of its own and is deployed by `railway up` (deploy_railway.sh);
# with it ("owner/name") Railway builds every push to the branch main.
GITHUB_REPO = os.environ.get("GITHUB_REPO", "")

# Railway allows no shorter interval than five minutes, and a run wakes both services for at least
# ten: docs/deployment_options.md has what each schedule costs.
SIMULATOR_CRON = os.environ.get("SIMULATOR_CRON", "17 */6 * * *")

# Railway sends SIGKILL at once unless a grace period is set. The handler answers and flushes within
# its SHUTDOWN_SECONDS (8), the Collector writes its queue to disk.
DRAINING_SECONDS = 15

QUEUE_MB = 500
"""All that the Free plan has, in its only volume."""


def _build_service(target: str, **config: Any) -> Any:
    """A service built from the Dockerfile's stage `target`, which its argument SERVICE chooses."""
    env = {"SERVICE": target, **config.pop("env")}
    if GITHUB_REPO:
        config["source"] = github(GITHUB_REPO)
    return service(
        target, build={"builder": "DOCKERFILE", "dockerfilePath": "Dockerfile"}, env=env, **config
    )


def _describe_collector(queue: Any) -> Any:
    return _build_service(
        "collector",
        # Railway asks the port in PORT, which is the Collector's health check and not its receiver.
        healthcheck="/",
        healthcheckTimeout=60,
        replicas=1,
        volumeMounts={"/var/lib/otelcol": queue},
        deploy={
            "restartPolicyType": "ON_FAILURE",
            "restartPolicyMaxRetries": 10,
            "drainingSeconds": DRAINING_SECONDS,
            # Two deployments cannot hold one volume, so there is nothing to overlap.
            "overlapSeconds": 0,
            "sleepApplication": True,
        },
        env={
            "PORT": "13133",
            # Older environments have a private network of IPv6 only; [::] takes both.
            "OTLP_HTTP_ENDPOINT": "[::]:4318",
            # The private network has nobody but this project's services in it.
            "OTLP_ALLOW_OPEN": "true",
            "COLLECTOR_HEALTH_ENDPOINT": "[::]:13133",
            "COLLECTOR_QUEUE_DIR": "/var/lib/otelcol",
            # A volume belongs to root there, and the image runs as another user.
            "RAILWAY_RUN_UID": "0",
            "OTEL_COLLECTOR_ROUTE": "grafana-cloud",
            "GRAFANA_CLOUD_METRICS": "otlp",
            "GRAFANA_CLOUD_OTLP_ENDPOINT": preserve(),
            "GRAFANA_CLOUD_OTLP_ID": preserve(),
            "GRAFANA_CLOUD_TOKEN": preserve(),
        },
    )


def _describe_handler() -> Any:
    return _build_service(
        "handler",
        healthcheck="/health/ready",
        healthcheckTimeout=120,
        replicas=1,
        deploy={
            "restartPolicyType": "ON_FAILURE",
            "restartPolicyMaxRetries": 10,
            "drainingSeconds": DRAINING_SECONDS,
            "overlapSeconds": 5,
            # It sends nothing while nothing happens, so it may sleep after ten quiet minutes.
            "sleepApplication": True,
        },
        env={
            "HOST": "0.0.0.0",
            "PORT": "5000",
            "WEB_CONCURRENCY": "1",
            # Its edge; without it all callers would be one client.
            "TRUSTED_PROXIES": "1",
            "ACCESS_TOKEN": preserve(),
            "FEEDBACK_TOKEN": preserve(),
            "METRICS_TOKEN": preserve(),
            "PREDICT_TOKEN": preserve(),
            "REDIS_URL": preserve(),
            # A key made at the start would end with each sleep, and all receipts with it.
            "RECEIPT_KEYS": preserve(),
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://${{collector.RAILWAY_PRIVATE_DOMAIN}}:4318",
            # Samples per minute are what Grafana Cloud counts.
            "OTEL_METRIC_EXPORT_INTERVAL": "60000",
        },
    )


def _describe_simulator(handler: Any) -> Any:
    return _build_service(
        "simulator",
        start="python -m simulator --count 60 --duration 240 --wait-for-target 120",
        deploy={"cronSchedule": SIMULATOR_CRON, "restartPolicyType": "NEVER"},
        env={
            "SIMULATOR_TARGET": "http://${{handler.RAILWAY_PRIVATE_DOMAIN}}:5000",
            "ACCESS_TOKEN": handler.env.ACCESS_TOKEN,
        },
    )


@define_railway  # type: ignore[untyped-decorator]  # the package has no types
def main(ctx: object = None) -> Any:
    """The project's graph; the CLI calls it."""
    queue = volume("collector-queue", sizeMB=QUEUE_MB)
    handler = _describe_handler()
    services = [_describe_collector(queue), handler, _describe_simulator(handler)]
    return project("fraud-monitoring", resources=[queue, *services])
