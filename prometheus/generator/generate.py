"""The files of rules/, written or compared."""

from __future__ import annotations

from pathlib import Path

from prometheus.generator.alerts.alerts import alerts_file
from prometheus.generator.durations import Clock
from prometheus.generator.recordings.challenger import challenger_file
from prometheus.generator.recordings.drift import drift_file
from prometheus.generator.recordings.estimated_performance import expected_file
from prometheus.generator.recordings.quality import quality_file
from prometheus.generator.recordings.rates import rates_file
from prometheus.generator.rule import RuleFile
from prometheus.generator.slo import read_slo, slo_file
from prometheus.generator.thresholds import read_thresholds
from prometheus.generator.trends import trends_file

FOLDER = Path(__file__).resolve().parents[1] / "rules"


def rule_files(clock: Clock) -> tuple[RuleFile, ...]:
    """Every rule file at the clock's scale."""
    limits, slo = read_thresholds(), read_slo()
    return (
        drift_file(clock, limits),
        quality_file(clock),
        expected_file(clock),
        rates_file(clock, limits),
        challenger_file(clock, limits),
        slo_file(clock, slo),
        trends_file(clock, limits, slo),
        alerts_file(clock, limits),
    )


def write(folder: Path = FOLDER, scale: int = 1) -> list[Path]:
    """Write the files into the folder; those that changed."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for file in rule_files(Clock(scale)):
        path, text = folder / file.name, file.text()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def outdated(folder: Path = FOLDER) -> list[Path]:
    """Files that are missing, not as generated, or no longer generated at all."""
    wanted = {folder / file.name: file.text() for file in rule_files(Clock())}
    there = {path: path.read_text(encoding="utf-8") for path in folder.glob("*.yml")}
    return sorted(
        path for path in wanted.keys() | there.keys() if wanted.get(path) != there.get(path)
    )
