"""What the store drill compares, on answers that are known."""

from __future__ import annotations

from bench.scale.__main__ import list_drills
from bench.scale.store_compare import Equality, Rule, count_events, read_rules, split_rules
from bench.scale.store_report import Result
from tests.lab.prometheus import PrometheusApi, Series


class Told(PrometheusApi):
    """A store that holds these samples."""

    def __init__(self, *series: list[float]) -> None:
        self._series = series

    def samples(
        self, selector: str, seconds: int = 3600
    ) -> dict[Series, list[tuple[float, float]]]:
        return {
            (("number", str(number)),): [(float(at), value) for at, value in enumerate(values)]
            for number, values in enumerate(self._series)
        }


def result(
    held: tuple[float, float], raw: Equality, derived: Equality, recorded: Equality
) -> Result:
    return Result((10, 5), 0, held, raw, derived, recorded, usage=())


def equality(ours: dict[str, str], theirs: dict[str, str]) -> Equality:
    made = Equality(1)
    made.add("rule", ours, theirs)
    return made


def test_events_are_counted_over_every_reset() -> None:
    assert count_events(Told([0, 3, 5, 0, 2, 1], [4, 4]), "any", 60) == 5 + 2 + 1 + 4


def test_the_last_bit_and_a_missing_series_make_a_difference() -> None:
    found = equality({"a": "0.1", "b": "NaN", "c": "1"}, {"a": "0.10000000000000002", "b": "NaN"})
    assert (found.values, found.same, len(found.differing)) == (3, 1, 2)


def test_rules_that_read_recorded_ones_are_told_apart() -> None:
    rules = [
        Rule("job:errors:rate5m", "rate(errors_total[5m])", {}, True),
        Rule("High", "job:errors:rate5m > 1", {}, False),
        Rule("Other", "job:errors:rate5minutes > 1", {}, False),
    ]
    raw, derived = split_rules(rules)
    assert [rule.name for rule in raw] == ["job:errors:rate5m", "Other"]
    assert [rule.name for rule in derived] == ["High"]
    assert all(split_rules(read_rules()))


def test_a_drill_is_clean_only_if_nothing_is_lost_and_all_is_equal() -> None:
    equal, differing = equality({"a": "1"}, {"a": "1"}), equality({"a": "1"}, {})
    assert result((10, 5), equal, equal, equal).is_clean
    assert not result((10, 4), equal, equal, equal).is_clean
    assert not result((10, 5), equal, differing, equal).is_clean
    assert not result((10, 5), equal, equal, Equality(1)).is_clean


def test_drills_are_found_by_their_function() -> None:
    assert "store" in list_drills() and "store_report" not in list_drills()
