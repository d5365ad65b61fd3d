"""Reaching the target, and asking what its model takes."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable

import aiohttp

from simulator.contract.errors import TargetError
from simulator.contract.model_info import ModelInfo, parse_model_info
from simulator.target.predict import session

_PAUSE_SECONDS = 0.5


async def reach_target(
    target: str, timeout: float, token: str, patience: float, say: Callable[[str], None]
) -> ModelInfo:
    """What the target's model takes, as soon as it can be had; raises TargetError.

    A target that does not answer yet (refused, timed out, 5xx) is asked again for `patience`
    seconds; any other answer is final.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    async with session(timeout, token) as client:
        while True:
            try:
                return await _model_info(client, target)
            except _NotYet as reason:
                left = deadline - loop.time()
                if left <= 0:
                    raise TargetError(str(reason)) from None
                say(f"waiting for the target, up to {patience:.0f} s: {reason}")
                await asyncio.sleep(min(_PAUSE_SECONDS, left))


class _NotYet(Exception):
    """The target may become reachable: one sentence."""


async def _model_info(client: aiohttp.ClientSession, target: str) -> ModelInfo:
    url = f"{target}/model_info"
    try:
        async with client.get(url, allow_redirects=False) as response:
            body = await response.content.read(4 * 1024 * 1024)
            _check_status(url, response)
    except TimeoutError:
        raise _NotYet(f"{url} did not answer in time") from None
    except (aiohttp.ClientError, OSError) as error:
        raise _NotYet(f"{url} cannot be reached: {_reason(error)}") from None
    try:
        return parse_model_info(json.loads(body))
    except ValueError:
        raise TargetError(f"{url} did not answer with JSON, so it is no scoring service") from None


def _reason(error: Exception) -> str:
    """In the system's own words, as `Connection refused`, where it has some."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if not isinstance(cause, OSError):
        return str(cause) or type(cause).__name__
    # Negative numbers are those of name look-ups, they have another table of words.
    if cause.errno and cause.errno > 0:
        return os.strerror(cause.errno)
    return str(cause.strerror or cause)


def _check_status(url: str, response: aiohttp.ClientResponse) -> None:
    if response.status >= 500:
        raise _NotYet(f"{url} answered {response.status}")
    if 300 <= response.status < 400:
        where = response.headers.get("Location", "elsewhere")
        raise TargetError(f"{url} redirects to {where}: give that address as the target")
    if response.status == 401:
        raise TargetError(f"{url} asks for a token: set ACCESS_TOKEN to the target's")
    if response.status != 200:
        raise TargetError(f"{url} answered {response.status}, so it is no scoring service")
