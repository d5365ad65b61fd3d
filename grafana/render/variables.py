"""The variables at the top of a dashboard, by name."""

from __future__ import annotations

from collections.abc import Iterator

from grafana.promql import EVERYTHING, RATE_INTERVAL
from grafana.render.source import SOURCE
from grafana.sdk import build, model

# How Grafana's editor of variables marks a query for a label's values.
VARIABLE_QUERY = "PrometheusVariableQueryEditor-VariableQuery"
LABEL_VALUES = 1
# The first is four push intervals, or what one point on the screen stands for: over days a fixed
# window would look at a part of the data only.
WINDOWS = {"auto": RATE_INTERVAL, "1m": "1m", "5m": "5m", "15m": "15m", "1h": "1h", "6h": "6h"}
TOO_SHORT_FOR_A_MINUTE = "1m"  # a rate needs more than one sample

Variable = build.DatasourceVariable | build.QueryVariable | build.CustomVariable


def render_variables(
    names: tuple[str, ...], datasource_uid: str, push_interval: str
) -> Iterator[Variable]:
    """The data source first, then the named ones."""
    yield _datasource(datasource_uid)
    for name in names:
        if name == "window":
            yield _window(push_interval)
        else:
            yield _LISTS[name]()


def _datasource(uid: str) -> build.DatasourceVariable:
    chosen = model.VariableOption(selected=True, text=uid or "default", value=uid or "default")
    return (
        build.DatasourceVariable("datasource")
        .label("Data source")
        .description("The Prometheus that has the handler's metrics")
        .type("prometheus")
        .current(chosen)
    )


def _job() -> build.QueryVariable:
    values = 'label_values(model_version{role="champion"}, job)'
    return _query("job", "Service", values, "One at a time: statistics of several mean nothing")


def _version() -> build.QueryVariable:
    values = 'label_values(model_version{job="$job", role="champion"}, version)'
    return _list("version", "Model version", values, "Only instances that served this version")


def _instance() -> build.QueryVariable:
    series = 'model_version{job="$job", role="champion", version=~"$version"}'
    values = f"label_values({series}, instance)"
    return _list("instance", "Instance", values, "One worker of the handler each")


def _feature() -> build.QueryVariable:
    values = 'label_values(feature_baseline_share{job="$job"}, feature)'
    return _query("feature", "Feature", values, "Whose distribution is shown")


_LISTS = {"job": _job, "version": _version, "instance": _instance, "feature": _feature}


def _query(name: str, label: str, values: str, description: str) -> build.QueryVariable:
    return (
        build.QueryVariable(name)
        .label(label)
        .description(description)
        .datasource(SOURCE)
        .query({"query": values, "refId": VARIABLE_QUERY, "qryType": LABEL_VALUES})
        .definition(values)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
    )


def _list(name: str, label: str, values: str, description: str) -> build.QueryVariable:
    """Several values, or all of them."""
    return (
        _query(name, label, values, description)
        .multi(True)
        .include_all(True)
        .all_value(EVERYTHING)
        .current(model.VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def _window(push_interval: str) -> build.CustomVariable:
    windows = {
        text: value
        for text, value in WINDOWS.items()
        if not (push_interval and value == TOO_SHORT_FOR_A_MINUTE)
    }
    options = [
        model.VariableOption(selected=value == RATE_INTERVAL, text=text, value=value)
        for text, value in windows.items()
    ]
    return (
        build.CustomVariable("window")
        .label("Smoothed over")
        .description("Time over which rates, shares and response times are taken")
        .values(", ".join(f"{text} : {value}" for text, value in windows.items()))
        .options(options)
        .current(options[0])
    )
