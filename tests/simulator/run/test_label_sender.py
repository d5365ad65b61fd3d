"""Labels are sent when they are due, again where they were lost, and bounded in number."""

from __future__ import annotations

import asyncio
import json

import pytest

from simulator.report.progress import progress_line
from simulator.report.request_stats import Tally
from simulator.run.label_sender import LabelDesk
from simulator.target.feedback import NotTaken, read_results
from simulator.target.predict import Answer
from simulator.traffic.delayed_labels import FRAUD, LEGITIMATE, PlannedLabel
from simulator.traffic.request_plan import VALID, PlannedRequest

COUNTED = "counted"


def request(delay=0.0, truth=FRAUD, **more):
    """A valid request with a label."""
    label = PlannedLabel(delay, truth, 0.5, **more)
    return PlannedRequest(0, 0.0, b"{}", 0, VALID, 200, None, label)


def answer(number, predicted=FRAUD, probability=0.9):
    """A prediction with its receipt."""
    return Answer(200, predicted, "basic", "high", None, probability, f"receipt {number}")


class Target:
    """Answers each batch by the next of `script`, and counts receipts once; then takes all."""

    def __init__(self, *script):
        self.script = list(script)
        self.batches = []
        self.used = set()

    async def __call__(self, entries):
        self.batches.append(entries)
        next_ = self.script.pop(0) if self.script else None
        if isinstance(next_, NotTaken):
            return next_
        results = [next_ or ("repeated" if r in self.used else COUNTED) for r, _ in entries]
        self.used |= {receipt for receipt, _ in entries}
        if next_ == "lost":
            return NotTaken("timeout")
        return results


def run(target, answers, batch=200, most=1000, due_at=lambda t: t, patience=0.0):
    """Takes all answers, finishes; the desk's tally."""

    async def whole():
        desk = LabelDesk(target, due_at, asyncio.get_running_loop().time, batch, most)
        sending = asyncio.create_task(desk.run())
        for planned, answered in answers:
            desk.take(planned, answered)
        await desk.finish(patience)
        sending.cancel()
        desk.close()
        return desk.tally

    return asyncio.run(whole())


def test_desk_sends_receipt_and_truth_in_bounded_batches():
    """Each once; the outcomes are what was told."""
    target = Target()
    answers = [
        (request(truth=FRAUD if n % 3 else LEGITIMATE), answer(n, FRAUD if n % 2 else LEGITIMATE))
        for n in range(60)
    ]

    tally = run(target, answers, batch=25)

    assert [len(batch) for batch in target.batches] == [25, 25, 10]
    assert tally.results == {COUNTED: 60} and tally.known == 60
    assert dict(tally.outcomes) == {
        (FRAUD, FRAUD): 20,
        (FRAUD, LEGITIMATE): 10,
        (LEGITIMATE, FRAUD): 20,
        (LEGITIMATE, LEGITIMATE): 10,
    }
    assert tally.recall == 0.5 and tally.precision == pytest.approx(2 / 3)
    assert tally.failed_share == 0


def test_desk_sends_again_what_was_lost_and_tells_it_apart():
    """A lost answer leaves open whether the target has counted: 'repeated' is fine then."""
    target = Target("lost", NotTaken("503"))

    tally = run(target, [(request(), answer(n)) for n in range(5)])

    assert tally.results == {"repeated_after_retry": 5}
    assert tally.outcomes == {(FRAUD, FRAUD): 5}
    assert tally.failed_posts == {"timeout": 1, "503": 1} and tally.posts == 3
    assert tally.failed_share == 0


def test_desk_repeated_at_first_is_no_outcome():
    """Somebody else told it."""
    target = Target()
    target.used = {"receipt 1"}

    tally = run(target, [(request(), answer(n)) for n in range(3)])

    assert tally.results == {COUNTED: 2, "repeated": 1}
    assert tally.outcomes.total() == 2 and tally.failed_share == pytest.approx(1 / 3)


def test_desk_sends_again_what_the_ledger_could_not_take():
    """A result of its own for each receipt; only that one goes again."""
    target = Target("unavailable")

    tally = run(target, [(request(), answer(n)) for n in range(3)])

    assert tally.outcomes.total() == 3 and tally.posts == 2


def test_progress_tells_the_labels():
    """So that the wait for them at the end is no riddle."""
    tally = Tally()
    tally.labels = run(Target(NotTaken("400", final=True)), [(request(), answer(1))])

    assert progress_line(tally, 1).endswith("labels 0 of 1")
    assert "labels" not in progress_line(Tally(), 1)


@pytest.mark.parametrize("reason", ["400", "404"])
def test_desk_gives_up_what_is_refused_for_good(reason):
    """Counted, and the next batch goes."""
    target = Target(NotTaken(reason, final=True))

    tally = run(target, [(request(), answer(n)) for n in range(4)], batch=2)

    assert tally.results == {"refused": 2, COUNTED: 2} and tally.failed_share == 0.5


def test_desk_sends_fewer_at_once_where_they_are_too_many():
    """Halved until they are taken; none is lost."""
    refusal = NotTaken("413", final=True, too_many=True)
    target = Target(refusal, refusal)

    tally = run(target, [(request(), answer(n)) for n in range(16)], batch=16)

    assert [len(batch) for batch in target.batches] == [16, 8, 4, 4, 4, 4]
    assert tally.results == {COUNTED: 16}


def test_desk_keeps_a_bounded_number():
    """What has no place is left out and counted; memory does not grow."""
    tally = run(Target(), [(request(100), answer(n)) for n in range(50)], most=10)

    assert tally.left_out["no_place"] == 40 and tally.results == {COUNTED: 10}
    assert tally.failed_share == 0.8


def test_desk_sends_the_rest_early_at_the_end():
    """What is not due within the patience, and what a scenario holds for ever."""
    held = run(Target(), [(request(1), answer(1))], due_at=lambda t: float("inf"), patience=60)
    late = run(Target(), [(request(1000), answer(1)), (request(0), answer(2))], patience=0.5)

    assert (held.early, held.outcomes.total()) == (1, 1)
    assert (late.early, late.outcomes.total()) == (1, 2)


def test_desk_waits_for_what_is_due_within_the_patience():
    """Then nothing is early."""
    tally = run(Target(), [(request(0.4), answer(1))], patience=30)

    assert tally.early == 0 and tally.outcomes.total() == 1


def test_desk_answer_without_receipt_is_left_out():
    """A service that gives none cannot be told the truth."""
    tally = run(Target(), [(request(), Answer(200, FRAUD))])

    assert tally.left_out["no_receipt"] == 1 and tally.known == 1


@pytest.mark.parametrize(
    ("planned", "answered"),
    [
        (request(), Answer(500)),
        (request(), Answer(200)),
        (PlannedRequest(0, 0.0, b"", 0, VALID, 200, None), answer(1)),
    ],
    ids=["refused", "no prediction", "no label planned"],
)
def test_desk_has_no_label_without_a_prediction(planned, answered):
    """Nothing is known of it."""
    assert run(Target(), [(planned, answered)]).known == 0


def test_desk_truth_of_an_unknown_process_follows_the_answers():
    """By the answer to the request itself, or to the one before where the concept has changed."""
    own = [
        (request(truth=None), answer(1, FRAUD, 0.6)),
        (request(truth=None), answer(2, FRAUD, 0.4)),
    ]
    other = [own[0], (request(truth=None, of_another=True), answer(2, FRAUD, 0.4))]

    assert dict(run(Target(), own).outcomes) == {(FRAUD, FRAUD): 1, (FRAUD, LEGITIMATE): 1}
    tally = run(Target(), other)
    assert dict(tally.outcomes) == {(FRAUD, FRAUD): 2} and tally.from_answers == 2


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"results": [{"result": COUNTED}]}, [COUNTED]),
        (200, {"results": []}, NotTaken("200 with other results", final=True)),
        (200, {"other": 1}, NotTaken("200 without results", final=True)),
        (400, {"error": {"type": "batch_size"}}, NotTaken("400", final=True, too_many=True)),
        (400, {"error": {"type": "wrong_type"}}, NotTaken("400", final=True)),
        (413, {}, NotTaken("413", final=True, too_many=True)),
        (429, {}, NotTaken("429")),
        (503, {}, NotTaken("503")),
    ],
)
def test_results_are_read_strictly(status, body, expected):
    """A proxy's page is no result."""
    assert read_results(status, json.dumps(body).encode(), 1) == expected
