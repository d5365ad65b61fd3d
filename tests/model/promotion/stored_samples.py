"""Samples as a Prometheus keeps them, without one: what is asked of it and pushed to it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from prometheus.client.query import History, Sample

Labels = tuple[tuple[str, str], ...]


class StoredSamples:
    """Answers `samples` as a Prometheus does that keeps everything since `kept_from`."""

    def __init__(self, kept_from: float = 0.0) -> None:
        self.kept_from = kept_from
        self._stored: dict[Labels, list[tuple[float, float]]] = defaultdict(list)

    def push(self, moment: float, name: str, value: float, **labels: str) -> None:
        """One sample; they must come in the order of time."""
        key = {"__name__": name, "job": "fraud-handler", "instance": "a"} | labels
        self._stored[tuple(sorted(key.items()))].append((moment, value))

    def push_pair(self, moment: float, champion: str, challenger: str, instance: str = "a") -> None:
        """The two models that a worker shows."""
        for role, version in (("champion", champion), ("challenger", challenger)):
            self.push(moment, "model_version", 1, role=role, version=version, instance=instance)

    def samples(self, selector: str, start: float, end: float) -> list[History]:
        """Of one metric and one job: what is later than start and not later than end."""
        match = re.fullmatch(r'(\w+)\{job="([^"]*)"\}', selector)
        assert match, selector
        wanted = {"__name__": match[1], "job": match[2]}
        found = []
        for key, stored in self._stored.items():
            labels: Mapping[str, str] = dict(key)
            chosen = tuple(one for one in stored if max(start, self.kept_from) < one[0] <= end)
            if chosen and wanted.items() <= labels.items():
                found.append(History(labels, chosen))
        return found

    def query(self, expression: str, at: float) -> list[Sample]:
        """count(last_over_time(…[…s])) as an instant query."""
        match = re.fullmatch(r"count\(last_over_time\((.*)\[(\d+)s\]\)\)", expression)
        assert match, expression
        found = self.samples(match[1], at - int(match[2]), at)
        return [Sample({}, float(len(found)))] if found else []
