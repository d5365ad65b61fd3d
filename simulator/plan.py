"""What is sent and when, settled by a seed before anything is sent.

Arrivals, transactions and faults each have a generator of random numbers of their own, so that a
change of the pace or of the share of faults leaves the transactions as they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, takewhile
from random import Random

from simulator.arrivals import poisson, think_times
from simulator.customers import Customers
from simulator.faults import encode, fault_kinds, fault_schedule
from simulator.model_info import ModelInfo

VALID = "valid"


@dataclass(frozen=True)
class Pace:
    """`rate` requests a second, or one person's pace (None); at most `count` in `duration` s."""

    rate: float | None = None
    count: int | None = None
    duration: float | None = None


@dataclass(frozen=True)
class Mix:
    """Share of faulty requests, and the size in bytes of one that is too large."""

    faulty: float
    large_body: int


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """`body` and then `padding` spaces, due `at` seconds after the start.

    `kind` is VALID or the kind of fault; `status` is what the target should answer with.
    """

    number: int
    at: float
    body: bytes
    padding: int
    kind: str
    status: int
    user_type: str | None


def plan_requests(info: ModelInfo, seed: int, pace: Pace, mix: Mix) -> Iterator[PlannedRequest]:
    """Same arguments, same requests, byte by byte and second by second; endless if `pace` is."""
    due = _stream(seed, "arrivals")
    arrivals = think_times(due) if pace.rate is None else poisson(due, pace.rate)
    if pace.duration is not None:
        end = pace.duration
        arrivals = takewhile(lambda at: at < end, arrivals)
    return islice(_requests(info, seed, arrivals, mix), pace.count)


def _requests(
    info: ModelInfo, seed: int, arrivals: Iterator[float], mix: Mix
) -> Iterator[PlannedRequest]:
    customers, transactions = Customers(info), _stream(seed, "transactions")
    kinds, spoiling = fault_kinds(info, mix.large_body), _stream(seed, "faults")
    schedule = fault_schedule(mix.faulty, tuple(kinds), _stream(seed, "fault schedule"))
    for number, (at, kind) in enumerate(zip(arrivals, schedule, strict=False)):
        drawn = customers.draw(transactions)
        if kind is None:
            body = encode(drawn.transaction)
            yield PlannedRequest(number, at, body, 0, VALID, 200, drawn.user_type)
        else:
            bad = kinds[kind](drawn.transaction, spoiling)
            yield PlannedRequest(
                number, at, bad.body, bad.padding, kind, bad.status, drawn.user_type
            )


def _stream(seed: int, name: str) -> Random:
    # Seeding by text is the same in every process: it goes through SHA-512, not through hash().
    return Random(f"{seed}/{name}")
