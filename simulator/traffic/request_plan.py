"""The plan of a run: what is sent and when, decided by a seed before anything is sent.

Arrivals, transactions, invalid requests, labels and each scenario have random numbers of their own,
so that a change of the load, of the share of invalid requests or of the scenario leaves the
transactions that it does not concern as they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, takewhile

from simulator.contract.model_info import ModelInfo
from simulator.contract.vocabulary import (
    BAD_DATA,
    CONCEPT,
    DELAY_REQUESTED,
    ERROR_REQUESTED,
    ERRORS,
    FRAUD_BURST,
    INTERNAL_ERROR,
    OUTAGE,
    SLOW,
    STATUS_OF_ERROR,
    VALID,
)
from simulator.traffic.arrivals import LoadProfile
from simulator.traffic.delayed_labels import LabelDelay, PlannedLabel, choose_class, draw_labels
from simulator.traffic.invalid_requests import list_invalid_kinds, list_invalid_values
from simulator.traffic.invalid_share import InvalidShare, RequestEncoder
from simulator.traffic.planned_request import PlannedRequest
from simulator.traffic.scenarios import (
    ALWAYS_STEADY,
    BAD_DATA_SHARE,
    BURST_EVERY,
    CONCEPT_SHARE,
    INJECTED_DELAY_SECONDS,
    INJECTED_FAULT_SHARE,
    ScenarioSchedule,
)
from simulator.transactions.random_numbers import derive_random
from simulator.transactions.traffic_source import select_traffic_source
from simulator.transactions.transaction import SampledTransaction


@dataclass(frozen=True)
class TrafficSpec:
    """What a run sends: load, invalid requests, scenario and labels (None: no labels).

    `high_score_samples`: transactions that the model scores high, for a fraud burst.
    """

    load: LoadProfile
    invalid: InvalidShare
    schedule: ScenarioSchedule = ALWAYS_STEADY
    labels: LabelDelay | None = None
    high_score_samples: Sequence[SampledTransaction] = ()


def plan_requests(info: ModelInfo, seed: int, spec: TrafficSpec) -> Iterator[PlannedRequest]:
    """Same arguments, same requests, byte by byte and second by second; endless if the load is.

    During an outage nothing is due; one without an end is the end.
    """
    arrivals = _pause_for_outage(spec.load.generate_arrivals(seed), spec.schedule)
    planner = _RequestPlanner(info, seed, spec)
    return islice(map(planner.plan, arrivals), spec.load.count)


def _pause_for_outage(arrivals: Iterator[float], schedule: ScenarioSchedule) -> Iterator[float]:
    if schedule.scenario == OUTAGE and schedule.lasts is None:
        return takewhile(lambda due: due < schedule.after, arrivals)
    return (due for due in arrivals if schedule.scenario_at(due) != OUTAGE)


class _RequestPlanner:
    """Plans one request after the other."""

    def __init__(self, info: ModelInfo, seed: int, spec: TrafficSpec) -> None:
        self._source = select_traffic_source(info, spec.high_score_samples)
        self._schedule = spec.schedule
        self._number = 0
        # Each purpose is part of the seed: another word would be another run.
        self._transactions = derive_random(seed, "transactions")
        self._bursts = derive_random(seed, "bursts")
        self._injections = derive_random(seed, "asked to misbehave")
        self._labels = (
            None if spec.labels is None else draw_labels(spec.labels, derive_random(seed, "labels"))
        )
        self._steady_encoder = RequestEncoder(
            list_invalid_kinds(info, spec.invalid.large_body),
            spec.invalid.share,
            derive_random(seed, "faults"),
            derive_random(seed, "fault schedule"),
        )
        self._bad_data_encoder = RequestEncoder(
            list_invalid_values(info),
            BAD_DATA_SHARE,
            derive_random(seed, "bad values"),
            derive_random(seed, "bad value schedule"),
        )

    def plan(self, due: float) -> PlannedRequest:
        """The next request, due so many seconds after the start."""
        scenario = self._schedule.scenario_at(due)
        sample = self._source.sample(self._transactions, scenario)
        if scenario == FRAUD_BURST and self._number % BURST_EVERY == 0:
            sample = self._source.sample_burst(sample, self._bursts)
        encoder = self._bad_data_encoder if scenario == BAD_DATA else self._steady_encoder
        request = encoder.encode(self._number, due, sample)
        label = self._plan_label(sample, scenario)
        self._number += 1
        if request.kind != VALID:
            return request
        return replace(self._request_injection(request, scenario), label=label)

    def _plan_label(self, sample: SampledTransaction, scenario: str) -> PlannedLabel | None:
        if self._labels is None:
            return None
        draw = next(self._labels)
        if draw.delay is None:
            return None
        if sample.fraud_probability is not None:
            true_class = choose_class(sample.fraud_probability, draw.uniform)
            return PlannedLabel(draw.delay, true_class, draw.uniform)
        of_other_request = scenario == CONCEPT and draw.mixing < CONCEPT_SHARE
        return PlannedLabel(draw.delay, None, draw.uniform, of_other_request)

    def _request_injection(self, request: PlannedRequest, scenario: str) -> PlannedRequest:
        """The request, or the same with the header that asks for the scenario's injected fault."""
        if scenario not in (SLOW, ERRORS) or self._injections.random() >= INJECTED_FAULT_SHARE:
            return request
        if scenario == ERRORS:
            status = STATUS_OF_ERROR[INTERNAL_ERROR]
            return replace(
                request, kind=ERROR_REQUESTED, fault_header="error", expected_status=status
            )
        return replace(
            request,
            kind=DELAY_REQUESTED,
            fault_header=f"delay={INJECTED_DELAY_SECONDS * 1000:.0f}ms",
            min_seconds=INJECTED_DELAY_SECONDS,
        )
