"""Made-up workers send what the handler's telemetry has, with an identity each and whole counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench.rules import encode_push
from bench.scale.sizing.push_template import PushTemplate, Request, count_series, read_points
from bench.scale.sizing.sender import name_instances


@pytest.fixture(scope="module")
def push() -> Request:
    """What the handler's telemetry exports before anything was counted."""
    return encode_push(5)


@pytest.fixture(scope="module")
def decode(push: Request) -> Callable[[str, int, float], Request]:
    """decode(instance, number, at): a push of the template whose counts rise by one."""
    template = PushTemplate.rising(push)
    return lambda *of: Request.FromString(template.encode(*of))


def read_values(request: Request) -> dict[tuple[str, str], list[float]]:
    """The counts of each point, and the times of all in the last entry."""
    values = {}
    for kind, name, point in read_points(request):
        counts = [point.count, point.sum] if kind == "histogram" else [point.as_double]
        values[name, str(point.attributes)] = counts
    return values


def test_push_carries_the_worker_and_the_time(decode: Callable[..., Request]) -> None:
    sent = decode("replica-7-1", 3, 1_700_000_000.5)
    [resource] = sent.resource_metrics
    names = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert names["service.instance.id"] == "replica-7-1"
    assert names["service.name"] == "fraud-handler"
    times = {point.time_unix_nano for _, _, point in read_points(sent)}
    assert times == {1_700_000_000_500_000_000}


def test_push_has_the_series_of_the_real_one(push: Request, decode: Callable[..., Request]) -> None:
    sent = decode("replica-0-0", 2, 1.0)
    assert count_series(sent) == count_series(push) > 700
    assert read_values(sent).keys() == read_values(push).keys()


def test_every_count_grows_and_no_gauge_does(push: Request, decode: Callable[..., Request]) -> None:
    gauges = {name for kind, name, _ in read_points(push) if kind == "gauge"}
    earlier, later = (read_values(decode("a", number, 1.0)) for number in (4, 6))
    for (name, labels), counts in later.items():
        rises = [now - then for now, then in zip(counts, earlier[name, labels], strict=True)]
        assert any(rises) == (name not in gauges), name
        assert min(rises) >= 0


def test_growth_is_what_was_recorded_between_two_pushes(push: Request) -> None:
    """Of 30 more in four intervals: whole numbers, and all 30 after four pushes."""
    last = Request()
    last.CopyFrom(push)
    [first] = [point for _, name, point in read_points(last) if name == "explanations"]
    first.as_double = 30.0
    template = PushTemplate(push, last, 4)
    pushes = [Request.FromString(template.encode("a", number, 1.0)) for number in range(5)]
    values = [
        point.as_double
        for each in pushes
        for _, name, point in read_points(each)
        if name == "explanations"
    ]
    assert values == [0.0, 7.0, 15.0, 22.0, 30.0]


def test_export_number_rises_by_one_whatever_was_recorded(push: Request) -> None:
    """Else the store would take made-up workers for ones whose exports are lost."""
    last = Request()
    last.CopyFrom(push)
    [number] = [point for _, name, point in read_points(last) if name == "telemetry.deliveries"]
    number.as_double = 60.0
    template = PushTemplate(push, last, 4)
    sent = read_values(Request.FromString(template.encode("a", 9, 1.0)))
    assert sent["telemetry.deliveries", "[]"] == [9.0]


def test_total_is_what_is_in_the_push(push: Request) -> None:
    template = PushTemplate.rising(push)
    sent = Request.FromString(template.encode("a", 5, 1.0))
    counts = [
        point.count if kind == "histogram" else point.as_double
        for kind, _, point in read_points(sent)
        if kind != "gauge"
    ]
    assert template.total(5) == sum(counts) > 0
    assert template.total(0) == 0


def test_instances_are_named_as_the_handler_names_them() -> None:
    assert name_instances(2, 2) == ("replica-0-0", "replica-0-1", "replica-1-0", "replica-1-1")
