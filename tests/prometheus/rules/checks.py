"""Questions to the recording rules, and how promtool is asked them."""

from __future__ import annotations

from pathlib import Path

from tests.lab.promtool import Case, Question, run
from tests.prometheus.rules.series import HANDLER

PSI = "feature:feature_values:psi{}"
OTHER_HOST = HANDLER.replace("host-0", "host-1")
AMOUNT = {"feature": "amount"}


def check_rules(tools: Path, folder: Path, wanted: str, *cases: Case) -> None:
    """No difference to what the cases say."""
    wrong = run(tools, folder, list(cases), wanted)
    assert not wrong, wrong


def expect_value(expr: str, value: float, at: str = "20m") -> Question:
    """The one series of the expression has this value, to 1e-12."""
    return Question(f"abs(sum({expr}) - {float(value)!r}) < bool 1e-12", at, (("{}", 1),))


def expect_nothing(expr: str, at: str = "20m") -> Question:
    """The expression is empty: no series, and no NaN."""
    return Question(expr, at)


def move_to_other_host(series: dict[str, str]) -> dict[str, str]:
    """The same series of another instance."""
    return {name.replace(HANDLER, OTHER_HOST): values for name, values in series.items()}
