"""Findings and figures as the lines that a person reads at the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from grafana.cloud.budget import Budget
from grafana.cloud.verify import Choice, Finding
from prometheus.client.query import Sample


def describe_findings(choices: Sequence[Choice], findings: Sequence[Finding]) -> Iterator[str]:
    """The values that each variable offers, then each panel with what its queries gave."""
    for choice in choices:
        yield f"variable {choice.name}: {', '.join(choice.values) or 'EMPTY'}"
    for panel, of_panel in groupby(findings, key=lambda finding: finding.panel):
        yield panel
        for finding in of_panel:
            legend = "by value" if len(finding.samples) > 1 else finding.query.legend
            yield f"  {legend:14} {_describe_samples(finding)}"


def describe_budget(found: Budget) -> Iterator[str]:
    """Series by job and metric, then how they compare with the plan."""
    for (job, metric), series in found.sent.most_common():
        yield f"{job:20} {metric:45} {series:7,}"
    yield (
        f"to the cloud: {found.series:,} active series, {found.samples_per_minute:,.0f} samples a "
        f"minute at one each {found.interval_seconds} s; the plan counts {found.usage:,} of "
        f"{found.limit:,} ({found.usage / found.limit:.1%})"
    )
    yield (
        f"{len(found.instances)} instances; one more brings {found.per_instance:,} series, "
        f"{found.instances_that_fit} such instances fit"
    )
    local = Counter[str]()
    for (job, _), series in found.local.items():
        local[job] += series
    yield f"only here: {', '.join(f'{job} {n:,}' for job, n in local.items()) or 'nothing'}"
    if not found.is_within_limit:
        yield f"OVER the plan by {found.usage - found.limit:,}"


def _describe_samples(finding: Finding) -> str:
    if finding.fault:
        return finding.fault.upper()
    if not finding.samples:
        return f"nothing: {finding.query.empty}"
    if len(finding.samples) == 1:
        return f"{finding.samples[0].value:.4g}"
    if not all("le" in sample.labels for sample in finding.samples):
        return "  ".join(
            f"{' '.join(sample.labels.values())}: {sample.value:.4g}" for sample in finding.samples
        )
    return "  ".join(f"≤{bound:g}: {share:.1%}" for bound, share in _bars(finding.samples))


def _bars(samples: Sequence[Sample]) -> list[tuple[float, float]]:
    """Bound and height of each bar, as Grafana makes them from cumulative buckets."""
    cumulative = sorted((float(sample.labels["le"]), sample.value) for sample in samples)
    below = [0.0, *(value for _, value in cumulative)]
    return [
        (bound, value - before) for (bound, value), before in zip(cumulative, below, strict=False)
    ]
