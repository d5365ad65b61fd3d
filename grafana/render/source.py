"""The data source of every panel, query and variable: a variable of the dashboard itself.

So one JSON serves provisioning, import by hand and the cloud: a fixed uid of another Grafana is the
most common reason for 'No data'.
"""

from __future__ import annotations

from grafana.sdk import kinds

SOURCE = kinds.DataSourceRef(type_val="prometheus", uid="${datasource}")
