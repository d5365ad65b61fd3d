"""What the target says of its model is checked before anything is built on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from simulator.contract.errors import TargetError
from simulator.target.model_info_parser import parse_model_info
from tests.simulator.faulty_target import describe_model


def change(path: Sequence[str | int], value: object) -> Any:
    """The description of a model with one member replaced."""
    *way, last = path
    document: Any = describe_model()
    place = document
    for step in way:
        place = place[step]
    place[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        pytest.param(("features",), [], "features must be a list of at least", id="no features"),
        pytest.param(("features", 1), 5, "features[1] must be a JSON object", id="no object"),
        pytest.param(("features", 0, "name"), "", "features[0].name must be", id="no name"),
        pytest.param(("features", 0, "type"), "vector", "got 'vector'", id="unknown type"),
        pytest.param(("features", 0, "type"), "category", "at least one category", id="empty"),
        pytest.param(("features", 2, "minimum"), "0", "must be a number", id="text minimum"),
        pytest.param(("features", 2, "maximum"), True, "must be a number", id="boolean maximum"),
        pytest.param(("features", 0, "quantiles"), [3, 2, 1], "ascending", id="descending"),
        pytest.param(
            ("features", 0, "quantiles"), [3], "two numbers or more", id="single quantile"
        ),
        pytest.param(("features", 0, "quantiles"), [1, None], "numbers", id="null quantile"),
        pytest.param(
            ("features", 0, "baseline"),
            {"edges": [1, 2], "shares": [0.5, 0.5]},
            "baseline.shares must be 3 shares",
            id="shares without a bin",
        ),
        pytest.param(("features", 0, "maximum"), 10**400, "must be a number", id="beyond floats"),
        pytest.param(("features", 0, "minimum"), float("nan"), "must be a number", id="NaN"),
        pytest.param(("features", 0, "quantiles"), [1, 10**400], "numbers", id="huge quantile"),
        pytest.param(("features", 0, "baseline"), 3, "must be a JSON object", id="no baseline"),
        pytest.param(("user_types", "feature"), "wealth", "user_types must be", id="foreign"),
        pytest.param(("user_types", "premium_from"), 5, "at least 1500.0, got 5", id="crossed"),
        pytest.param(
            ("features", 0, "distribution"), [[1, 0.5], [0, 1]], "ascending", id="falling values"
        ),
        pytest.param(("features", 0, "distribution"), [[1, 0.5]], "up to the share 1", id="cut"),
        pytest.param(("features", 0, "distribution"), [[1]], "pairs", id="half a pair"),
        pytest.param(("joint",), [1], "joint must be a JSON object", id="joint list"),
        pytest.param(("joint",), {"knots": [0, 2]}, "joint.knots", id="knots beyond 1"),
        pytest.param(("joint",), {"knots": [0, 1]}, "at least one cell", id="no cell"),
        pytest.param(
            ("joint",),
            {"knots": [0, 1], "cells": [{"share": 0, "ranks": []}]},
            "cells[0].share must be a share above 0",
            id="empty cell",
        ),
        pytest.param(
            ("joint",),
            {"knots": [0, 1], "cells": [{"share": 1, "ranks": [[0, 1]]}]},
            "5 lists of 2 ranks",
            id="cell of another model",
        ),
        pytest.param(
            ("joint",),
            {"knots": [0, 1], "cells": [{"share": 1, "ranks": [[0, 2]] * 5}]},
            "ranks from 0 to 1",
            id="rank beyond 1",
        ),
        pytest.param(
            ("joint",),
            {"knots": [0, 1], "cells": [{"share": 1, "ranks": [[0, 1]] * 5}], "mixing": [[1]]},
            "a triangle of 5 rows",
            id="mixing cut",
        ),
    ],
)
def test_model_info_refuses(path: Sequence[str | int], value: object, sentence: str) -> None:
    """One sentence names the member, what was expected and what came."""
    with pytest.raises(TargetError) as caught:
        parse_model_info(change(path, value))

    assert sentence in str(caught.value)


@pytest.mark.parametrize("document", [None, [], "healthy", 5])
def test_model_info_refuses_what_is_no_object(document: object) -> None:
    """Some other service may listen there."""
    with pytest.raises(TargetError, match="must be a JSON object"):
        parse_model_info(document)


def test_model_info_ignores_what_it_does_not_need() -> None:
    """The answer may grow."""
    info = parse_model_info(describe_model() | {"metrics": {"accuracy": 1}, "new": [1]})

    assert info.version == "1-test"
    assert [f.name for f in info.features][:2] == ["amount", "age"]
