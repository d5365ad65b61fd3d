"""GET /model_info: waits for the target and asks what its model takes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Final

import aiohttp

from simulator.contract.errors import TargetError
from simulator.contract.model_info import ModelInfo
from simulator.contract.vocabulary import MODEL_INFO_PATH
from simulator.target.connection import TargetAddress, TargetClient, connect, read_body
from simulator.target.json_text import parse_json
from simulator.target.model_info_parser import parse_model_info

_RETRY_SECONDS: Final = 0.5
_LONGEST_MODEL_INFO: Final = 16 * 1024 * 1024


async def request_model_info(
    address: TargetAddress, wait: float, report: Callable[[str], None]
) -> ModelInfo:
    """What the target's model takes, as soon as it can be had; raises TargetError.

    A target that does not answer yet (refused, timed out, 5xx) is asked again for `wait` seconds;
    any other answer is final. `report` is given a sentence while it waits.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait
    async with connect(address) as client:
        while True:
            try:
                return await _request(client)
            except _NotReadyError as reason:
                left = deadline - loop.time()
                if left <= 0:
                    raise TargetError(str(reason)) from None
                report(f"waiting for the target, up to {wait:.0f} s: {reason}")
                await asyncio.sleep(min(_RETRY_SECONDS, left))


class _NotReadyError(Exception):
    """The target may become reachable: one sentence."""


async def _request(client: TargetClient) -> ModelInfo:
    url = f"{client.address.url}{MODEL_INFO_PATH}"
    try:
        async with client.get(MODEL_INFO_PATH) as response:
            _check_status(url, response, client.address)
            body = await read_body(response, _LONGEST_MODEL_INFO)
    except TimeoutError:
        raise _NotReadyError(f"{url} did not answer in time{_name_proxy(client.address)}") from None
    # A host name that cannot be one is a UnicodeError of the look-up.
    except (aiohttp.ClientError, OSError, UnicodeError) as error:
        reason = f"{_describe(error)}{_name_proxy(client.address)}"
        raise _NotReadyError(f"{url} cannot be reached: {reason}") from None
    try:
        return parse_model_info(parse_json(body))
    except ValueError:
        raise TargetError(f"{url} did not answer with JSON, so it is no scoring service") from None


def _describe(error: Exception) -> str:
    """In the system's own words, as `Connection refused`, where it has some."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"answer {error.status} to CONNECT"
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if not isinstance(cause, OSError):
        return str(cause) or type(cause).__name__
    # Negative numbers are those of name look-ups, they have another table of words.
    if cause.errno and cause.errno > 0:
        return os.strerror(cause.errno)
    return str(cause.strerror or cause)


def _name_proxy(address: TargetAddress) -> str:
    """Through which proxy; nothing where there is none."""
    return "" if address.proxy is None else f" (through the proxy {address.proxy.describe()})"


def _check_status(url: str, response: aiohttp.ClientResponse, address: TargetAddress) -> None:
    if response.status >= 500:
        raise _NotReadyError(f"{url} answered {response.status}")
    if 300 <= response.status < 400:
        location = response.headers.get("Location", "elsewhere")
        raise TargetError(f"{url} redirects to {location}: give that address as the target")
    if response.status == 407 and address.proxy is not None:
        raise TargetError(
            f"the proxy {address.proxy.describe()} asks for credentials: put them into its URL"
        )
    if response.status == 401:
        raise TargetError(f"{url} asks for a token: set ACCESS_TOKEN to the target's")
    if response.status != 200:
        raise TargetError(f"{url} answered {response.status}, so it is no scoring service")
