"""What a transaction may look like, and what is said of one that does not."""

from __future__ import annotations

import math
import random
from typing import Any

import msgspec
import pytest

from model.serving.card import Card
from model.serving.features import TransactionReader
from model.serving.invalid_transaction import InvalidTransaction

VALID: dict[str, object] = {
    "amount": 12.5,
    "age": 35,
    "balance": 2000,
    "abroad": False,
    "channel": "app",
    "income": 100.0,
}
AMOUNT = "amount must be a number between 0 and 50000, got "
AGE = "age must be a whole number between 18 and 120, got "
CHANNEL = 'channel must be one of "web", "app", "shop", got '
USER_TYPE = 'user_type must be one of "premium", "standard", "basic", got '
MISSING = object()

# change to a valid transaction, type of the problem, its field, the whole message
PROBLEMS: dict[str, tuple[dict[str, object], str, str, str]] = {
    "number as text": ({"amount": "12"}, "wrong_type", "amount", AMOUNT + '"12" (a string)'),
    "number as boolean": ({"amount": True}, "wrong_type", "amount", AMOUNT + "true"),
    "number as null": ({"amount": None}, "wrong_type", "amount", AMOUNT + "null"),
    "number as list": ({"amount": [1, 2]}, "wrong_type", "amount", AMOUNT + "a list of 2 items"),
    "number as object": ({"amount": {}}, "wrong_type", "amount", AMOUNT + "an object of 0 items"),
    "not a number": ({"amount": math.nan}, "wrong_type", "amount", AMOUNT + "NaN"),
    "infinity": ({"amount": math.inf}, "out_of_range", "amount", AMOUNT + "Infinity"),
    "minus infinity": ({"amount": -math.inf}, "out_of_range", "amount", AMOUNT + "-Infinity"),
    "below": ({"amount": -0.01}, "out_of_range", "amount", AMOUNT + "-0.01"),
    "above": ({"amount": 50_000.01}, "out_of_range", "amount", AMOUNT + "50000.01"),
    "huge float": ({"amount": 1e300}, "out_of_range", "amount", AMOUNT + "1e+300"),
    "large integer": ({"amount": 10**20}, "out_of_range", "amount", AMOUNT + "1" + "0" * 20),
    "huge integer": (
        {"amount": 10**5000},
        "out_of_range",
        "amount",
        AMOUNT + "an integer of more than 70 digits",
    ),
    "long text": (
        {"amount": "9" * 1000},
        "wrong_type",
        "amount",
        AMOUNT + '"' + "9" * 58 + "… (a string)",
    ),
    "fraction for integer": ({"age": 35.5}, "wrong_type", "age", AGE + "35.5"),
    "integer as text": ({"age": "35"}, "wrong_type", "age", AGE + '"35" (a string)'),
    "integer as boolean": ({"age": False}, "wrong_type", "age", AGE + "false"),
    "integer not a number": ({"age": math.nan}, "wrong_type", "age", AGE + "NaN"),
    "integer below": ({"age": 17}, "out_of_range", "age", AGE + "17"),
    "integer above": ({"age": 121}, "out_of_range", "age", AGE + "121"),
    "boolean as number": (
        {"abroad": 1},
        "wrong_type",
        "abroad",
        "abroad must be true or false, got 1",
    ),
    "boolean as text": (
        {"abroad": "true"},
        "wrong_type",
        "abroad",
        'abroad must be true or false, got "true" (a string)',
    ),
    "boolean as null": (
        {"abroad": None},
        "wrong_type",
        "abroad",
        "abroad must be true or false, got null",
    ),
    "unknown category": (
        {"channel": "phone"},
        "unknown_category",
        "channel",
        CHANNEL + '"phone" (a string)',
    ),
    "category's case": (
        {"channel": "Web"},
        "unknown_category",
        "channel",
        CHANNEL + '"Web" (a string)',
    ),
    "category as code": ({"channel": 1}, "wrong_type", "channel", CHANNEL + "1"),
    "category as list": (
        {"channel": ["web"]},
        "wrong_type",
        "channel",
        CHANNEL + "a list of 1 items",
    ),
    "nullable as text": (
        {"income": "x"},
        "wrong_type",
        "income",
        'income must be a number of at least 0, or null, got "x" (a string)',
    ),
    "nullable not a number": (
        {"income": math.nan},
        "wrong_type",
        "income",
        "income must be a number of at least 0, or null, got NaN",
    ),
    "nullable left out": (
        {"income": MISSING},
        "missing_field",
        "income",
        "income is missing; it must be a number of at least 0, or null",
    ),
    "left out": (
        {"age": MISSING},
        "missing_field",
        "age",
        "age is missing; it must be a whole number between 18 and 120",
    ),
    "unknown field": (
        {"colour": "red"},
        "unknown_field",
        "colour",
        "colour is not a field of this model;"
        " its fields are amount, age, balance, abroad, channel, income",
    ),
    "unknown user type": (
        {"user_type": "gold"},
        "unknown_category",
        "user_type",
        USER_TYPE + '"gold" (a string)',
    ),
    "user type as number": ({"user_type": 1}, "wrong_type", "user_type", USER_TYPE + "1"),
    "user type as null": ({"user_type": None}, "wrong_type", "user_type", USER_TYPE + "null"),
}


def changed(change: dict[str, object]) -> dict[str, object]:
    merged = VALID | change
    return {name: value for name, value in merged.items() if value is not MISSING}


@pytest.mark.parametrize(
    ("change", "type", "field", "message"), PROBLEMS.values(), ids=PROBLEMS.keys()
)
def test_a_problem_is_said_in_one_sentence(
    card: Card, change: dict[str, object], type: str, field: str, message: str
) -> None:
    """Field, value and what was expected."""
    with pytest.raises(InvalidTransaction) as caught:
        TransactionReader(card).read(changed(change))

    assert (caught.value.type, caught.value.field) == (type, field)
    assert caught.value.message == message


@pytest.mark.parametrize("body", [None, 1, "amount", [], [VALID], True], ids=repr)
def test_a_transaction_that_is_no_object_is_refused(card: Card, body: object) -> None:
    with pytest.raises(InvalidTransaction, match="a transaction must be an object") as caught:
        TransactionReader(card).read(body)

    assert (caught.value.type, caught.value.field) == ("wrong_type", None)


@pytest.mark.parametrize(
    "field", ["x" * 10_000, "\n", "", "amount "], ids=["long", "newline", "empty", "space"]
)
def test_an_unknown_field_is_named_but_never_at_length(card: Card, field: str) -> None:
    with pytest.raises(InvalidTransaction) as caught:
        TransactionReader(card).read(VALID | {field: 1})

    assert caught.value.type == "unknown_field"
    assert len(caught.value.message) < 200


def test_the_row_has_the_cards_order_whatever_the_order_of_the_fields(card: Card) -> None:
    backwards = dict(reversed(VALID.items()))

    row = TransactionReader(card).read(backwards).row

    assert row == [12.5, 35.0, 2000.0, 0.0, 1.0, 100.0]
    assert all(type(value) is float for value in row)


@pytest.mark.parametrize("age", [35, 35.0], ids=repr)
def test_a_whole_number_may_be_written_as_a_float(card: Card, age: float) -> None:
    assert TransactionReader(card).read(VALID | {"age": age}).row[1] == 35.0


@pytest.mark.parametrize("amount", [0, 50_000, 0.0, 50_000.0, -0.0], ids=repr)
def test_the_bounds_themselves_are_allowed(card: Card, amount: float) -> None:
    assert TransactionReader(card).read(VALID | {"amount": amount}).value == amount


def test_null_stands_for_an_unknown_number_where_the_card_allows_it(card: Card) -> None:
    assert math.isnan(TransactionReader(card).read(VALID | {"income": None}).row[5])


@pytest.mark.parametrize(
    ("balance", "user_type"),
    [(10_000, "premium"), (9_999.99, "standard"), (1_500, "standard"), (1_499, "basic")],
)
def test_the_user_type_follows_from_the_balance(card: Card, balance: float, user_type: str) -> None:
    assert TransactionReader(card).read(VALID | {"balance": balance}).user_type == user_type


@pytest.mark.parametrize("stated", ["premium", "standard", "basic"])
def test_a_stated_user_type_goes_before_the_derived_one(card: Card, stated: str) -> None:
    assert TransactionReader(card).read(VALID | {"user_type": stated}).user_type == stated


@pytest.mark.parametrize(("amount", "band"), [(249.99, "low"), (250, "high")])
def test_the_value_band_begins_at_its_bound(card: Card, amount: float, band: str) -> None:
    assert TransactionReader(card).read(VALID | {"amount": amount}).value_band == band


def test_a_card_without_user_types_and_value_band_reads_all_as_standard_and_low(
    card: Card,
) -> None:
    plain = msgspec.structs.replace(card, user_types=None, value_band=None)

    transaction: Any = TransactionReader(plain).read(VALID)

    assert (transaction.user_type, transaction.value, transaction.value_band) == (
        "standard",
        0.0,
        "low",
    )


@pytest.mark.parametrize("change", [case[0] for case in PROBLEMS.values()], ids=PROBLEMS.keys())
@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_batch_with_a_problem_is_refused(
    card: Card, change: dict[str, object], place: int
) -> None:
    batch = [VALID] * place + [changed(change)] + [VALID] * (4 - place)
    with pytest.raises(InvalidTransaction):
        TransactionReader(card).read_all(batch)


# What a field may be given; most are valid, of the others each is refused in a way of its own.
DRAWN: dict[str, list[object]] = {
    "amount": [0, 50_000, 12.5, 1e-300, 0.0, -0.0, -0.01, 2**60, 10**400, "1", True, math.nan],
    "age": [18, 120, 35.0, 35, 35.5, 17, 121, None],
    "balance": [0, 1e6, 17, -1e308, 10**309, math.inf],
    "abroad": [True, False, 0],
    "channel": ["web", "app", "shop", "Web", ["web"], None],
    "income": [None, 0, 3.5, -1, "x", MISSING],
    "user_type": [MISSING, MISSING, "premium", "basic", "gold"],
    "colour": [MISSING] * 20 + ["red"],
}


@pytest.mark.parametrize("seed", range(200))
def test_a_batch_is_read_as_its_transactions_are(card: Card, seed: int) -> None:
    """All the same, or refused where one of them is."""
    reader, draw = TransactionReader(card), random.Random(seed)
    usual = draw.choice([1.0, 0.97])  # A batch without a fault, or with one here and there.
    batch = [
        changed(
            {
                name: draw.choice(values if draw.random() > usual else values[:2])
                for name, values in DRAWN.items()
            }
        )
        for _ in range(draw.randrange(1, 12))
    ]
    try:
        alone = [reader.read(one) for one in batch]
    except InvalidTransaction:
        with pytest.raises(InvalidTransaction):
            reader.read_all(batch)
    else:
        assert repr(reader.read_all(batch)) == repr(alone)
