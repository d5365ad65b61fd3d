"""Running what others wrote (a converter, a model's predict_proba) so that it can be stopped."""

from __future__ import annotations

import multiprocessing
import pickle
import time
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Final, TypeVar

from model.onnx.errors import OutOfTime
from model.serving.errors import ModelError, first_line

DEFAULT_SECONDS: Final = 300.0
_TELL_EVERY: Final = 10.0

T = TypeVar("T")
Progress = Callable[[str], None]


def run_limited(function: Callable[[], T], seconds: float, what: str, progress: Progress) -> T:
    """The function's result, from a child process that is killed after `seconds`.

    Its own errors are raised here; OutOfTime says that it ran out, and a line of progress every ten
    seconds that it is at it. Where processes cannot be forked (Windows) there is no limit.
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        return function()
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_answer, args=(function, sender), daemon=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Of 3.12, about threads and forks.
        child.start()
    sender.close()
    try:
        return _wait(receiver, seconds, what, progress)
    finally:
        child.kill()
        child.join()
        receiver.close()


def _wait(receiver: Connection, seconds: float, what: str, progress: Progress) -> T:  # type: ignore[type-var]
    began = time.monotonic()
    while not receiver.poll(min(_TELL_EVERY, max(0.0, began + seconds - time.monotonic()))):
        taken = time.monotonic() - began
        if taken >= seconds:
            raise OutOfTime(
                f"{what} did not end within {seconds:g} s and was stopped; --time-limit allows more"
            )
        progress(f"{what}: {taken:.0f} s of at most {seconds:g} s")
    try:
        data = receiver.recv_bytes()
    except EOFError:
        raise ModelError(f"{what} ended its process without an answer") from None
    succeeded, result = pickle.loads(data)
    if not succeeded:
        raise result
    answer: T = result
    return answer


def _answer(function: Callable[[], object], sender: Connection) -> None:
    """The child's work: its result or its error, as one message."""
    try:
        message = pickle.dumps((True, function()))
    except Exception as error:  # Of anybody's own.
        try:
            message = pickle.dumps((False, error))
            pickle.loads(message)
        except Exception:
            message = pickle.dumps((False, RuntimeError(first_line(error))))
    sender.send_bytes(message)
    sender.close()
