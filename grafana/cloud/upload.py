"""Dashboards and rules brought to where Grafana Cloud keeps them, as often as one likes.

First everything is read and planned, then the steps are taken: what is wrong with the settings or
the files shows before anything is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from grafana.cloud.access import GrafanaAccess
from grafana.cloud.links import Links
from grafana.cloud.resources import DASHBOARD, FOLDER, Resources
from grafana.cloud.ruler import Ruler, is_same, read_groups
from grafana.dashboard import Dashboard
from grafana.panels import dashboards
from grafana.render.board import FOLDER_TITLE, FOLDER_UID, render
from prometheus.client.http import Client

CLOUD_PUSH_INTERVAL = "1m"  # samples are paid for, so handlers push to the cloud once a minute


@dataclass(frozen=True)
class Step:
    """One thing to do; `take` is None where it is done already."""

    action: str
    what: str
    take: Callable[[], None] | None


def plan_dashboards(access: GrafanaAccess) -> Iterator[Step]:
    """The folder, then each dashboard in it, asking the data source of that place."""
    resources = Resources(access)
    if resources.find(FOLDER, FOLDER_UID):
        yield Step("unchanged", f"folder {FOLDER_TITLE!r}", None)
    else:
        create = partial(resources.create, FOLDER, FOLDER_UID, {"title": FOLDER_TITLE})
        yield Step("create", f"folder {FOLDER_TITLE!r}", create)
    for dashboard in dashboards().values():
        yield _plan_dashboard(resources, dashboard, access.datasource_uid)


def _plan_dashboard(resources: Resources, dashboard: Dashboard, datasource_uid: str) -> Step:
    spec = render(dashboard, datasource_uid, CLOUD_PUSH_INTERVAL)
    spec.pop("uid")  # the resource's name says it
    what = f"dashboard {dashboard.title!r}"
    found = resources.find(DASHBOARD, dashboard.uid)
    if found is None:
        create = partial(resources.create, DASHBOARD, dashboard.uid, spec, FOLDER_UID)
        return Step("create", what, create)
    return Step("replace", what, partial(resources.replace, DASHBOARD, found, spec, FOLDER_UID))


def plan_rules(client: Client, folder: Path, links: Links) -> Iterator[Step]:
    """Each rule group of the files; then those that the files no longer have."""
    wanted = {name: links.rewrite(group) for name, group in read_groups(folder).items()}
    ruler = Ruler(client)
    present = ruler.groups()
    for name, group in wanted.items():
        what = f"rule group {name!r} ({len(group['rules'])} rules)"
        if name in present and is_same(group, present[name]):
            yield Step("unchanged", what, None)
        else:
            yield Step("replace" if name in present else "create", what, partial(ruler.put, group))
    for name in sorted(present.keys() - wanted.keys()):
        yield Step("delete", f"rule group {name!r}", partial(ruler.delete, name))
