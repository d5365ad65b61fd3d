"""Makes a stated share of the requests invalid, the kinds in turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from simulator.contract.vocabulary import expected_status
from simulator.traffic.invalid_requests import MakeInvalid
from simulator.traffic.planned_request import PlannedRequest
from simulator.transactions.random_numbers import shuffle
from simulator.transactions.transaction import SampledTransaction, encode_transaction

_BLOCK: Final = 100


@dataclass(frozen=True)
class InvalidShare:
    """`share` of the requests are invalid; a too large one has `large_body` bytes."""

    share: float
    large_body: int


class RequestEncoder:
    """Encodes transactions as requests, `share` of them made invalid.

    `schedule` decides which requests are invalid and of which kind, `values` what is wrong in them.
    """

    def __init__(
        self, kinds: Mapping[str, MakeInvalid], share: float, values: Random, schedule: Random
    ) -> None:
        self._kinds = kinds
        self._values = values
        self._schedule = schedule_kinds(share, tuple(kinds), schedule)

    def encode(self, number: int, due: float, sample: SampledTransaction) -> PlannedRequest:
        """The transaction as a valid request, or made invalid where its turn has come."""
        kind = next(self._schedule)
        if kind is None:
            body = encode_transaction(sample.transaction)
            return PlannedRequest(number, due, body, user_type=sample.user_type)
        invalid = self._kinds[kind](sample.transaction, self._values)
        return PlannedRequest(
            number, due, invalid.body, invalid.padding, kind, expected_status(kind),
            sample.user_type,
        )  # fmt: skip


def schedule_kinds(share: float, kinds: tuple[str, ...], random: Random) -> Iterator[str | None]:
    """For each request the kind of invalid request that it is, or None for a valid one.

    Any hundred requests in a row, counted from the first, have the stated share of invalid ones (to
    the whole number, what is left over being carried on), at random places; the kinds take turns
    in random order. So 2,000 requests at 0.02 have exactly 40.
    """
    turns: list[str] = []
    carried = 0.0
    while True:
        carried += share * _BLOCK
        number = int(carried + 1e-9)
        carried -= number
        places = set(shuffle(range(_BLOCK), random)[:number])
        for place in range(_BLOCK):
            if place in places:
                turns = turns or shuffle(kinds, random)
                yield turns.pop()
            else:
                yield None
