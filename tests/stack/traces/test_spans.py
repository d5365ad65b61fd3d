"""Traces read from the Collector's files."""

from __future__ import annotations

from pathlib import Path

from stack.traces.spans import FILE, read_traces
from tests.stack.traces.exports import OTHER, REQUEST, SCORE, TRACE, VALIDATE, export, span


def test_spans_of_a_trace_are_found_over_lines_and_files(tmp_path: Path) -> None:
    """Those that came late are in another line, or in the file that followed."""
    (tmp_path / "traces-2026-11-27T00-00-00.000-size.jsonl").write_text(export(REQUEST, SCORE))
    newer = span("GET /health", "c1", 50, 51, trace=OTHER)
    (tmp_path / FILE).write_text(export(newer) + export(VALIDATE))

    traces = read_traces(tmp_path)

    assert [each.trace_id for each in traces] == [OTHER, TRACE], "the newest first"
    assert [each.name for each in traces[1].spans] == ["POST /predict", "validate", "score"]
    assert traces[1].root.attributes == {"http.response.status_code": "200"}
    assert traces[1].root.service == "fraud-handler"
    assert (traces[1].start, traces[1].end) == (10_000_000_000, 10_020_000_000)


def test_span_that_was_sent_twice_is_one(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(export(REQUEST) + export(REQUEST, SCORE))
    assert len(read_traces(tmp_path)[0].spans) == 2


def test_line_that_is_cut_off_is_left_out(tmp_path: Path) -> None:
    """A kill in the middle of a write, then the next start appends."""
    cut = export(SCORE)
    (tmp_path / FILE).write_text(export(REQUEST) + cut[: len(cut) // 2] + "\n" + export(VALIDATE))
    assert [each.name for each in read_traces(tmp_path)[0].spans] == ["POST /predict", "validate"]


def test_lines_of_another_kind_are_left_out(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('[]\n{"resourceSpans": [{}]}\n7\n\n' + export(REQUEST))
    assert len(read_traces(tmp_path)) == 1


def test_no_folder_is_no_traces(tmp_path: Path) -> None:
    assert read_traces(tmp_path / "none") == []


def test_trace_whose_first_span_is_missing_has_a_root_all_the_same(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(export(VALIDATE, SCORE))
    assert read_traces(tmp_path)[0].root.name == "validate"
