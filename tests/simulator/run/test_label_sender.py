"""Labels are sent when they are due, again where they were lost, and bounded in number."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence

import pytest

from simulator.contract.vocabulary import FRAUD, LEGITIMATE, VALID
from simulator.report.label_stats import LabelStats, Outcome
from simulator.report.progress import format_progress
from simulator.report.request_stats import RequestStats
from simulator.run.label_sender import LabelSender
from simulator.target.feedback import NotAccepted, parse_results
from simulator.target.predict import Response
from simulator.traffic.delayed_labels import PlannedLabel
from simulator.traffic.planned_request import PlannedRequest

COUNTED = "counted"


def request(
    delay: float = 0.0, true_class: str | None = FRAUD, of_other_request: bool = False
) -> PlannedRequest:
    """A valid request with a label."""
    label = PlannedLabel(delay, true_class, 0.5, of_other_request)
    return PlannedRequest(0, 0.0, b"{}", label=label)


def answer(number: int, predicted: str = FRAUD, probability: float = 0.9) -> Response:
    """A prediction with its receipt."""
    return Response(200, predicted, "basic", "high", None, probability, f"receipt {number}")


class Target:
    """Answers each batch by the next of `script`, and counts receipts once; then takes all."""

    def __init__(self, *script: str | NotAccepted) -> None:
        self.script = list(script)
        self.batches: list[Sequence[tuple[str, str]]] = []
        self.used: set[str] = set()

    async def __call__(self, entries: Sequence[tuple[str, str]]) -> list[str] | NotAccepted:
        self.batches.append(entries)
        next_ = self.script.pop(0) if self.script else None
        if isinstance(next_, NotAccepted):
            return next_
        results = [next_ or ("repeated" if r in self.used else COUNTED) for r, _ in entries]
        self.used |= {receipt for receipt, _ in entries}
        if next_ == "lost":
            return NotAccepted("timeout")
        return results


def run(
    target: Target,
    answers: Iterable[tuple[PlannedRequest, Response]],
    batch: int = 200,
    most: int = 1000,
    due_at: Callable[[float], float] = lambda known: known,
    wait: float = 0.0,
) -> LabelStats:
    """Enqueues all answers, drains; the sender's counts."""

    async def whole() -> LabelStats:
        sender = LabelSender(target, due_at, asyncio.get_running_loop().time, batch, most)
        sending = asyncio.create_task(sender.run())
        for planned, answered in answers:
            sender.enqueue(planned, answered)
        await sender.drain(wait)
        sending.cancel()
        sender.close()
        return sender.stats

    return asyncio.run(whole())


def test_sender_sends_receipt_and_label_in_bounded_batches() -> None:
    """Each once; the outcomes are those of the labels."""
    target = Target()
    answers = [
        (
            request(true_class=FRAUD if n % 3 else LEGITIMATE),
            answer(n, FRAUD if n % 2 else LEGITIMATE),
        )
        for n in range(60)
    ]

    stats = run(target, answers, batch=25)

    assert [len(batch) for batch in target.batches] == [25, 25, 10]
    assert stats.results == {COUNTED: 60} and stats.planned == 60
    assert dict(stats.outcomes) == {
        Outcome(FRAUD, FRAUD): 20,
        Outcome(FRAUD, LEGITIMATE): 10,
        Outcome(LEGITIMATE, FRAUD): 20,
        Outcome(LEGITIMATE, LEGITIMATE): 10,
    }
    assert stats.recall == 0.5 and stats.precision == pytest.approx(2 / 3)
    assert stats.failed_share == 0


def test_sender_sends_again_what_was_lost_and_counts_it_apart() -> None:
    """A lost answer leaves open whether the target has counted: 'repeated' is fine then."""
    target = Target("lost", NotAccepted("503"))

    stats = run(target, [(request(), answer(n)) for n in range(5)])

    assert stats.results == {"repeated_after_retry": 5}
    assert stats.outcomes == {Outcome(FRAUD, FRAUD): 5}
    assert stats.failed_posts == {"timeout": 1, "503": 1} and stats.posts == 3
    assert stats.failed_share == 0


def test_sender_repeated_at_first_is_no_outcome() -> None:
    """Somebody else sent its label."""
    target = Target()
    target.used = {"receipt 1"}

    stats = run(target, [(request(), answer(n)) for n in range(3)])

    assert stats.results == {COUNTED: 2, "repeated": 1}
    assert stats.outcomes.total() == 2 and stats.failed_share == pytest.approx(1 / 3)


def test_sender_sends_again_what_the_store_could_not_take() -> None:
    """A result of its own for each receipt; only that one goes again."""
    target = Target("unavailable")

    stats = run(target, [(request(), answer(n)) for n in range(3)])

    assert stats.outcomes.total() == 3 and stats.posts == 2


def test_progress_shows_the_labels() -> None:
    """So that the wait for them at the end is no riddle."""
    stats = RequestStats()
    stats.labels = run(Target(NotAccepted("400", final=True)), [(request(), answer(1))])

    assert format_progress(stats, 1).endswith("labels 0 of 1")
    assert "labels" not in format_progress(RequestStats(), 1)


@pytest.mark.parametrize("reason", ["400", "404"])
def test_sender_gives_up_what_is_refused_for_good(reason: str) -> None:
    """Counted, and the next batch goes."""
    target = Target(NotAccepted(reason, final=True))

    stats = run(target, [(request(), answer(n)) for n in range(4)], batch=2)

    assert stats.results == {"refused": 2, COUNTED: 2} and stats.failed_share == 0.5


def test_sender_sends_fewer_at_once_where_they_are_too_many() -> None:
    """Halved until they are taken; none is lost."""
    refusal = NotAccepted("413", final=True, too_many=True)
    target = Target(refusal, refusal)

    stats = run(target, [(request(), answer(n)) for n in range(16)], batch=16)

    assert [len(batch) for batch in target.batches] == [16, 8, 4, 4, 4, 4]
    assert stats.results == {COUNTED: 16}


def test_sender_keeps_a_bounded_number() -> None:
    """What has no place is left out and counted; memory does not grow."""
    stats = run(Target(), [(request(100), answer(n)) for n in range(50)], most=10)

    assert stats.not_sent["no_place"] == 40 and stats.results == {COUNTED: 10}
    assert stats.failed_share == 0.8


def test_sender_sends_the_rest_early_at_the_end() -> None:
    """What is not due within the wait, and what a scenario holds for ever."""
    held = run(Target(), [(request(1), answer(1))], due_at=lambda t: float("inf"), wait=60)
    late = run(Target(), [(request(1000), answer(1)), (request(0), answer(2))], wait=0.5)

    assert (held.early, held.outcomes.total()) == (1, 1)
    assert (late.early, late.outcomes.total()) == (1, 2)


def test_sender_waits_for_what_is_due_within_the_wait() -> None:
    """Then nothing is early."""
    stats = run(Target(), [(request(0.4), answer(1))], wait=30)

    assert stats.early == 0 and stats.outcomes.total() == 1


def test_sender_answer_without_receipt_is_left_out() -> None:
    """A service that gives none cannot be sent a label."""
    stats = run(Target(), [(request(), Response(200, FRAUD))])

    assert stats.not_sent["no_receipt"] == 1 and stats.planned == 1


@pytest.mark.parametrize(
    ("planned", "answered"),
    [
        (request(), Response(500)),
        (request(), Response(200)),
        (PlannedRequest(0, 0.0, b"", 0, VALID, 200, None), answer(1)),
    ],
    ids=["refused", "no prediction", "no label planned"],
)
def test_sender_has_no_label_without_a_prediction(
    planned: PlannedRequest, answered: Response
) -> None:
    """Nothing is known of it."""
    assert run(Target(), [(planned, answered)]).planned == 0


def test_sender_label_of_an_unknown_process_follows_the_answers() -> None:
    """By the answer to the request itself, or to the one before where the concept has changed."""
    own = [
        (request(true_class=None), answer(1, FRAUD, 0.6)),
        (request(true_class=None), answer(2, FRAUD, 0.4)),
    ]
    other = [own[0], (request(true_class=None, of_other_request=True), answer(2, FRAUD, 0.4))]

    assert dict(run(Target(), own).outcomes) == {
        Outcome(FRAUD, FRAUD): 1,
        Outcome(FRAUD, LEGITIMATE): 1,
    }
    stats = run(Target(), other)
    assert dict(stats.outcomes) == {Outcome(FRAUD, FRAUD): 2} and stats.from_answers == 2


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"results": [{"result": COUNTED}]}, [COUNTED]),
        (200, {"results": []}, NotAccepted("200 with other results", final=True)),
        (200, {"other": 1}, NotAccepted("200 without results", final=True)),
        (400, {"error": {"type": "batch_size"}}, NotAccepted("400", final=True, too_many=True)),
        (400, {"error": {"type": "wrong_type"}}, NotAccepted("400", final=True)),
        (413, {}, NotAccepted("413", final=True, too_many=True)),
        (429, {}, NotAccepted("429")),
        (503, {}, NotAccepted("503")),
    ],
)
def test_results_are_read_strictly(
    status: int, body: object, expected: list[str] | NotAccepted
) -> None:
    """A proxy's page is no result."""
    assert parse_results(status, json.dumps(body).encode(), 1) == expected
