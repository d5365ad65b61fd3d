"""The summary of a run: a table, Markdown and JSON."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.main import main
from tests.simulator.faulty_target import ScoringServer
from tests.simulator.runs import Simulate


def test_summary_as_a_table_and_as_markdown(
    target: ScoringServer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """For people, and for the page of a schedule; Markdown is appended."""
    file = tmp_path / "summary.md"
    file.write_text("before\n")

    main(f"--url {target.url} --rate 100 --count 50 --seed 5 --summary {file}".split())

    table, markdown = capsys.readouterr().out, file.read_text()
    for text in (table, markdown):
        assert "50 in " in text and "200 49" in text and "p99" in text and "seed" in text
        assert "% of 49 predictions" in text
    assert markdown.startswith("before\n## Simulator against http://127.0.0.1")


def test_members_of_the_json_are_a_contract(simulate: Simulate) -> None:
    """Scripts read them: a member is never renamed, only added."""
    _, summary = simulate("--rate", 200, "--count", 20, "--labels-after", 0)

    assert set(summary) >= {
        "target", "model_version", "seed", "rate", "started_at", "duration_seconds", "due", "sent",
        "answered", "by_kind", "by_status", "not_sent", "unanswered", "unexpected", "error_types",
        "predictions", "fraud_share", "latency_seconds", "start_delay_seconds", "failed_share",
        "scenario", "replayed", "known_process", "asked_to_misbehave",
        "ignored_requests_to_misbehave", "labels", "interrupted", "exit_code",
    }  # fmt: skip
    assert set(summary["labels"]) >= {
        "known", "by_result", "left_out", "outcomes", "recall", "precision", "from_answers",
        "early", "posts", "failed_posts", "failed_share",
    }  # fmt: skip
    assert set(summary["predictions"]) >= {
        "total", "by_class", "by_user_type", "by_risk_level", "by_labels",
    }  # fmt: skip


def test_table_names_what_was_unexpected(
    target: ScoringServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the source of the labels, so that nobody reads them as the truth about the model."""
    target.before_answer = lambda number: 503 if number == 1 else None

    main(f"--url {target.url} --rate 100 --count 20 --faulty 0 --labels-after 0 --quiet".split())

    text = capsys.readouterr().out
    assert "unexpected        1 valid: 503 instead of 200" in text
    assert "live quality      precision -, recall -" in text
    assert "labels            19: none; not sent: no_receipt 19" in text
    assert "source of labels  drawn with the model's own probabilities: calibrated by" in text
