"""What is sent and when, settled by a seed before anything is sent.

Arrivals, transactions, faults, labels and each scenario have generators of random numbers of their
own, so that a change of the pace, of the share of faults or of the scenario leaves the transactions
that it does not concern as they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from random import Random

from simulator.contract.model_info import ModelInfo
from simulator.traffic.arrivals import poisson, think_times
from simulator.traffic.delayed_labels import FRAUD, LEGITIMATE, Labels, PlannedLabel, planned_labels
from simulator.traffic.invalid_requests import (
    Spoil,
    bad_values,
    encode,
    fault_kinds,
    fault_schedule,
)
from simulator.traffic.scenarios import (
    ALWAYS_STEADY,
    ASKED_ERROR,
    ASKED_SLOW,
    BAD_DATA,
    BAD_SHARE,
    BURST_EVERY,
    CONCEPT,
    CONCEPT_SHARE,
    ERRORS,
    FAULT_SHARE,
    FRAUD_BURST,
    OUTAGE,
    SLOW,
    SLOW_SECONDS,
    Course,
)
from simulator.transactions.marginal_source import Drawn
from simulator.transactions.traffic_source import world_of

VALID = "valid"


@dataclass(frozen=True)
class Pace:
    """`rate` requests a second, or one person's pace (None); at most `count` in `duration` s."""

    rate: float | None = None
    count: int | None = None
    duration: float | None = None

    def arrivals(self, seed: int) -> Iterator[float]:
        """When requests are due, in seconds after the start; endless if there is no duration."""
        random, end = stream(seed, "arrivals"), self.duration
        due = think_times(random) if self.rate is None else poisson(random, self.rate)
        return due if end is None else takewhile(lambda at: at < end, due)


@dataclass(frozen=True)
class Mix:
    """Share of faulty requests, and the size in bytes of one that is too large."""

    faulty: float
    large_body: int


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """`body` and then `padding` spaces, due `at` seconds after the start.

    `kind` is VALID, the kind of fault, or how the target is asked to misbehave; `status` is what
    the target should answer with, `at_least` how many seconds it should take. `fault` is the header
    that asks. `label`: what becomes known later, None if nothing does.
    """

    number: int
    at: float
    body: bytes
    padding: int
    kind: str
    status: int
    user_type: str | None
    label: PlannedLabel | None = None
    fault: str | None = None
    at_least: float = 0.0


def plan_requests(
    info: ModelInfo,
    seed: int,
    pace: Pace,
    mix: Mix,
    course: Course = ALWAYS_STEADY,
    labels: Labels | None = None,
    suspects: Sequence[Drawn] = (),
) -> Iterator[PlannedRequest]:
    """Same arguments, same requests, byte by byte and second by second; endless if `pace` is.

    While the course has an outage nothing is due; one without an end is the end.
    """
    arrivals = _without_outage(pace.arrivals(seed), course)
    plan = _Plan(info, seed, mix, course, labels, suspects)
    return islice(map(plan.request, arrivals), pace.count)


def stream(seed: int, name: str) -> Random:
    """Random numbers for one purpose, the same in every process."""
    # Seeding by text goes through SHA-512, not through hash().
    return Random(f"{seed}/{name}")


def _without_outage(arrivals: Iterator[float], course: Course) -> Iterator[float]:
    if course.scenario == OUTAGE and course.lasts is None:
        return takewhile(lambda at: at < course.after, arrivals)
    return (at for at in arrivals if course.at(at) != OUTAGE)


class _Plan:
    """Makes one request after the other."""

    def __init__(
        self,
        info: ModelInfo,
        seed: int,
        mix: Mix,
        course: Course,
        labels: Labels | None,
        suspects: Sequence[Drawn],
    ) -> None:
        self._world = world_of(info, suspects)
        self._course = course
        self._number = 0
        self._transactions = stream(seed, "transactions")
        self._bursts = stream(seed, "bursts")
        self._asked = stream(seed, "asked to misbehave")
        self._labels = None if labels is None else planned_labels(labels, stream(seed, "labels"))
        self._usual = _Spoiler(
            fault_kinds(info, mix.large_body), mix.faulty, seed, "faults", "fault"
        )
        self._bad = _Spoiler(bad_values(info), BAD_SHARE, seed, "bad values", "bad value")

    def request(self, at: float) -> PlannedRequest:
        """The next one, due `at` seconds after the start."""
        scenario = self._course.at(at)
        drawn = self._world.draw(self._transactions, scenario)
        if scenario == FRAUD_BURST and self._number % BURST_EVERY == 0:
            drawn = self._world.in_burst(drawn, self._bursts)
        spoiler = self._bad if scenario == BAD_DATA else self._usual
        request = spoiler.request(self._number, at, drawn)
        label = self._label(drawn, scenario)
        self._number += 1
        if request.kind != VALID:
            return request
        return replace(self._asking(request, scenario), label=label)

    def _label(self, drawn: Drawn, scenario: str) -> PlannedLabel | None:
        if self._labels is None:
            return None
        delay, chance, mixing = next(self._labels)
        if delay is None:
            return None
        if drawn.probability is not None:
            return PlannedLabel(delay, FRAUD if chance < drawn.probability else LEGITIMATE, chance)
        return PlannedLabel(delay, None, chance, scenario == CONCEPT and mixing < CONCEPT_SHARE)

    def _asking(self, request: PlannedRequest, scenario: str) -> PlannedRequest:
        """The request, or the same with the header that asks for what the scenario has."""
        if scenario not in (SLOW, ERRORS) or self._asked.random() >= FAULT_SHARE:
            return request
        if scenario == ERRORS:
            return replace(request, kind=ASKED_ERROR, fault="error", status=500)
        fault = f"delay={SLOW_SECONDS * 1000:.0f}ms"
        return replace(request, kind=ASKED_SLOW, fault=fault, at_least=SLOW_SECONDS)


class _Spoiler:
    """Makes the stated share of the requests faulty."""

    def __init__(
        self, kinds: Mapping[str, Spoil], share: float, seed: int, spoiling: str, schedule: str
    ) -> None:
        self._kinds = kinds
        self._spoiling = stream(seed, spoiling)
        self._schedule = fault_schedule(share, tuple(kinds), stream(seed, f"{schedule} schedule"))

    def request(self, number: int, at: float, drawn: Drawn) -> PlannedRequest:
        """The transaction, spoiled where it is its turn."""
        kind = next(self._schedule)
        if kind is None:
            body = encode(drawn.transaction)
            return PlannedRequest(number, at, body, 0, VALID, 200, drawn.user_type)
        bad = self._kinds[kind](drawn.transaction, self._spoiling)
        return PlannedRequest(number, at, bad.body, bad.padding, kind, bad.status, drawn.user_type)
