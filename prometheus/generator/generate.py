"""The files of rules/ and the parts elsewhere that follow from the alerts, written or compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from prometheus.generator import derived, prometheus_rule
from prometheus.generator.alerts.inputs import alert_on_inputs
from prometheus.generator.alerts.model import alert_on_model
from prometheus.generator.alerts.quality import alert_on_quality
from prometheus.generator.alerts.service import alert_on_service
from prometheus.generator.alerts.slo import alert_on_budgets
from prometheus.generator.alerts.telemetry import alert_on_telemetry
from prometheus.generator.alerts.trends import alert_on_trends
from prometheus.generator.durations import Durations
from prometheus.generator.recordings.challenger import record_challenger
from prometheus.generator.recordings.drift_groups import record_drift
from prometheus.generator.recordings.estimated_performance import record_estimates
from prometheus.generator.recordings.lost_exports import record_lost_exports
from prometheus.generator.recordings.quality import record_quality
from prometheus.generator.recordings.rates import record_rates
from prometheus.generator.recordings.score_change import record_score_change
from prometheus.generator.recordings.slo import record_budgets
from prometheus.generator.recordings.trends import record_trends
from prometheus.generator.rule import Alert, Group, Record, RuleFile
from prometheus.generator.slo import Slo, read_slo
from prometheus.generator.thresholds import Thresholds, read_thresholds

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "prometheus" / "rules"


def rule_files(durations: Durations) -> tuple[RuleFile, ...]:
    """Every rule file at the scale of the durations."""
    limits, slo = read_thresholds(), read_slo()
    return (*_recording_files(durations, limits), *_alert_files(durations, limits, slo))


def alerts() -> tuple[Alert, ...]:
    """Every alert, in the order of the files."""
    files = rule_files(Durations())
    rules = (rule for file in files for group in file.groups for rule in group.rules)
    return tuple(rule for rule in rules if isinstance(rule, Alert))


def write(folder: Path = FOLDER, scale: int = 1) -> list[Path]:
    """Write the rule files into the folder; those that changed."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {folder / file.name: file.render() for file in rule_files(Durations(scale))}
    return _write_changed(texts)


def write_derived() -> list[Path]:
    """Write what follows from the rules outside of rules/; the files that changed."""
    return _write_changed(_render_derived())


def find_outdated(folder: Path = FOLDER) -> list[Path]:
    """Rule files that are missing, not as generated, or no longer generated at all."""
    wanted = {folder / file.name: file.render() for file in rule_files(Durations())}
    there = {path: path.read_text(encoding="utf-8") for path in folder.glob("*.yml")}
    return sorted(
        path for path in wanted.keys() | there.keys() if wanted.get(path) != there.get(path)
    )


def find_outdated_derived() -> list[Path]:
    """Files whose generated part does not follow from the rules."""
    return [path for path, text in _render_derived().items() if _read(path) != text]


def _render_derived() -> dict[Path, str]:
    manifest = prometheus_rule.render(rule_files(Durations()))
    return {**derived.render(alerts(), ROOT), ROOT / prometheus_rule.PATH: manifest}


def _recording_files(durations: Durations, limits: Thresholds) -> tuple[RuleFile, ...]:
    return (
        RuleFile(
            "drift.yml",
            "Drift of features and score against the model's baseline;"
            " formulas: generator/recordings/drift.py",
            tuple(record_drift(durations, limits)),
        ),
        RuleFile(
            "quality.yml",
            "Live quality from labelled outcomes; formulas: generator/recordings/quality.py",
            tuple(record_quality(durations, limits)),
        ),
        RuleFile(
            "expected.yml",
            "Expected performance before labels, and its gap to the realised;"
            " formulas: generator/recordings/estimated_performance.py",
            tuple(record_estimates(durations)),
        ),
        RuleFile(
            "rates.yml",
            "Predicted-fraud share, mean score, refused inputs;"
            " formulas: generator/recordings/rates.py",
            tuple(record_rates(durations, limits)),
        ),
        RuleFile(
            "challenger.yml",
            "Champion against challenger; formulas: generator/recordings/challenger.py",
            record_challenger(durations, limits),
        ),
        RuleFile(
            "score_change.yml",
            "What moved the mean score; formulas: generator/recordings/score_change.py",
            tuple(record_score_change(durations, limits)),
        ),
    )


def _alert_files(durations: Durations, limits: Thresholds, slo: Slo) -> tuple[RuleFile, ...]:
    """Files with alerts, and the recorded series that only these ask."""

    def group(topic: str, rules: Iterable[Record | Alert]) -> Group:
        return Group(f"{topic}_alerts", durations("1m"), tuple(rules))

    telemetry: tuple[Record | Alert, ...] = (
        *record_lost_exports(durations),
        *alert_on_telemetry(durations, limits),
    )
    return (
        RuleFile(
            "slo.yml",
            "Error ratios, budgets and burn-rate alerts; promises: prometheus/slo.yml",
            (*record_budgets(durations, slo), group("slo", alert_on_budgets(durations, slo))),
        ),
        RuleFile(
            "trends.yml",
            "Where things will be in a day; formulas: generator/recordings/trends.py",
            (
                *record_trends(durations, slo),
                group("trend", alert_on_trends(durations, limits, slo)),
            ),
        ),
        RuleFile(
            "alerts.yml",
            "Alerts; limits: prometheus/thresholds.yml",
            (
                group("service", alert_on_service(durations, limits)),
                group("telemetry", telemetry),
                group("input", alert_on_inputs(durations, limits)),
                group("quality", alert_on_quality(durations, limits)),
                group("model", alert_on_model(durations, limits)),
            ),
        ),
    )


def _write_changed(texts: Mapping[Path, str]) -> list[Path]:
    changed = [path for path, text in texts.items() if _read(path) != text]
    for path in changed:
        path.write_text(texts[path], encoding="utf-8")
    return changed


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
