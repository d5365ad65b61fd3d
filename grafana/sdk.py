"""The Foundation SDK's parts for the classic dashboard schema.

The classic schema is what file provisioning, import by hand and every Grafana since 8 read; newer
ones migrate it on load. The SDK says at import that it prefers the new one, which none but the
newest read.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
    from grafana_foundation_sdk.builders import (
        barchart,
        bargauge,
        common,
        heatmap,
        prometheus,
        stat,
        statetimeline,
        table,
        timeseries,
        xychart,
    )
    from grafana_foundation_sdk.builders import dashboard as build
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models import common as kinds
    from grafana_foundation_sdk.models import dashboard as model
    from grafana_foundation_sdk.models import heatmap as heatmap_parts
    from grafana_foundation_sdk.models import xychart as xychart_parts
    from grafana_foundation_sdk.models.prometheus import PromQueryFormat

__all__ = [
    "JSONEncoder",
    "PromQueryFormat",
    "barchart",
    "bargauge",
    "build",
    "common",
    "heatmap",
    "heatmap_parts",
    "kinds",
    "model",
    "prometheus",
    "stat",
    "statetimeline",
    "table",
    "timeseries",
    "xychart",
    "xychart_parts",
]
