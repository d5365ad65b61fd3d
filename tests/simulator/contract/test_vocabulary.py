"""The simulator imports nothing of the service; what it restates is what the service says."""

from __future__ import annotations

from typing import get_args

from flask.testing import FlaskClient

from model.serving import vocabulary as served
from model.serving.card import FeatureType
from service import fault_injection
from service.feedback import RETRYABLE
from simulator.contract import vocabulary
from simulator.target.batch_limits import LABELS, TRANSACTIONS
from telemetry import error_types, metrics


def test_classes_and_user_types_are_those_of_the_model() -> None:
    """In the same order, so that tables agree."""
    assert vocabulary.CLASS_NAMES == served.CLASS_NAMES
    assert vocabulary.USER_TYPES == served.USER_TYPES
    assert get_args(FeatureType) == vocabulary.FEATURE_TYPES


def test_every_error_of_a_transaction_is_tried_and_refused_with_its_status() -> None:
    """A new way to refuse a transaction needs a kind of invalid request that meets it."""
    tried = set(vocabulary.ERROR_OF_KIND.values())

    assert tried == {*served.TRANSACTION_ERRORS, "invalid_json", "too_large"}
    assert set(vocabulary.INVALID_VALUES) == set(served.PROBLEM_OF_ERROR)
    assert {
        error: error_types.STATUS_OF_ERROR[error] for error in (*tried, vocabulary.INTERNAL_ERROR)
    } == vocabulary.STATUS_OF_ERROR
    assert vocabulary.BATCH_SIZE_ERROR in error_types.VALIDATION_ERRORS


def test_results_of_feedback_are_those_of_the_service() -> None:
    """The simulator knows some of them; the others it counts by their names."""
    known = {vocabulary.COUNTED, vocabulary.REPEATED, *vocabulary.RETRYABLE_RESULTS}

    assert known <= set(metrics.FEEDBACK_RESULTS)
    assert set(vocabulary.RETRYABLE_RESULTS) == set(RETRYABLE)


def test_paths_fields_and_batches_are_those_of_the_api(client: FlaskClient) -> None:
    """As its own description has them."""
    document = client.get("/openapi.json").get_json()
    schemas = document["components"]["schemas"]

    assert {vocabulary.PREDICT_PATH, vocabulary.FEEDBACK_PATH, vocabulary.MODEL_INFO_PATH} <= set(
        document["paths"]
    )
    assert vocabulary.USER_TYPE_FIELD in schemas["Transaction"]["properties"]
    for batch in (TRANSACTIONS, LABELS):
        assert schemas[batch.schema]["properties"][batch.member]["maxItems"] == 20


def test_header_of_injected_faults_is_that_of_the_service() -> None:
    """Another one would be ignored without a word."""
    assert vocabulary.FAULT_HEADER == fault_injection.HEADER
