"""HTTP with the habits that secrets need: no redirects, no secret in an error, bounded time.

A redirect would carry the token to wherever it points, so it is an error that says so. Proxies are
those of HTTP_PROXY, HTTPS_PROXY and NO_PROXY, but never for a host that is near (`is_private`).
What else the environment may say of a request (.netrc would replace the token) is not read.
"""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from requests import PreparedRequest, RequestException, Response, Session
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from prometheus.client.errors import RequestError
from prometheus.client.proxies import is_private, proxies_for

TIMEOUT_SECONDS = 30.0
TRIES = 4
TRY_AGAIN = frozenset({429, 502, 503, 504})
PAUSE_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30
_AT_ONCE = 65_536
_EXAMPLES = "http://localhost:9090 or https://name.example.org"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, whatever its status; `phrase` is what the status means."""

    status: int
    phrase: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; RequestError if it is not."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise RequestError(f"expected JSON, got {self.body[:60]!r}") from None

    def reason(self) -> str:
        """What the body says about an error, cut short, or what the status means."""
        text = self.body.decode(errors="replace").strip()[:300]
        try:
            content = json.loads(self.body)
        except ValueError:
            return f"{self.phrase} ({text})" if text else self.phrase
        for name in ("message", "error"):
            if isinstance(content, dict) and content.get(name):
                return str(content[name])[:300]
        return str(content)[:300]


class Client:
    """One server: its address (scheme, host, maybe a path), and how to sign in there.

    `setting` is where the address was set, for errors. A busy server is asked up to `tries` times,
    after the time that it asks for, else `pause` seconds, doubled each time.
    """

    def __init__(
        self,
        address: str,
        authorization: str | None = None,
        *,
        setting: str = "the address",
        timeout: float = TIMEOUT_SECONDS,
        tries: int = TRIES,
        pause: float = PAUSE_SECONDS,
    ) -> None:
        _check(address, setting, signed=authorization is not None)
        if authorization and not (authorization.isascii() and authorization.isprintable()):
            raise RequestError(f"the token for {setting} holds characters that no token has")
        self.address = address.rstrip("/")
        self.authorization = authorization
        self._name = f"{self.address} ({setting})"
        self._timeout = timeout
        self._session = Session()
        self._session.trust_env = False
        self._session.proxies = proxies_for(address)
        secure = urlsplit(address).scheme == "https"
        adapter = _SystemTrustAdapter if secure else HTTPAdapter
        self._session.mount(
            "https://" if secure else "http://", adapter(max_retries=_retries(tries, pause))
        )

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Answer:
        """GET."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        return self.send("GET", f"{path}{query}")

    def post(self, path: str, parameters: Mapping[str, str]) -> Answer:
        """POST of a form."""
        form = urlencode(parameters).encode()
        return self.send("POST", path, form, "application/x-www-form-urlencoded")

    def send(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> Answer:
        """Send a body of that content type; RequestError if nobody answers or a redirect does."""
        request = PreparedRequest()
        request.prepare(method, f"{self.address}{path}", self._headers(kind), data=body)
        try:
            with self._session.send(
                request, stream=True, timeout=self._timeout, allow_redirects=False
            ) as response:
                answer = self._read(response)
        except (RequestException, HTTPError, OSError) as error:
            way = " through the proxy of the environment" if self._session.proxies else ""
            raise RequestError(f"{self._name} cannot be reached{way}: {_cause(error)}") from None
        if 300 <= answer.status < 400:
            raise RequestError(
                f"{self._name} points elsewhere ({answer.headers.get('Location', 'unnamed')}): "
                "use that address, the token is not sent on"
            )
        return answer

    def _headers(self, kind: str) -> dict[str, str]:
        headers = {
            "User-Agent": "fraud-monitoring",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }
        if kind:
            headers["Content-Type"] = kind
        if self.authorization:
            headers["Authorization"] = self.authorization
        return headers

    def _read(self, response: Response) -> Answer:
        # A server that sends a byte now and then keeps within each read's timeout for ever.
        until = time.monotonic() + self._timeout
        parts: list[bytes] = []
        while part := response.raw.read1(_AT_ONCE, decode_content=True):
            parts.append(part)
            if time.monotonic() > until:
                raise TimeoutError(f"no whole answer within {self._timeout:g} s")
        body = b"".join(parts)
        return Answer(response.status_code, response.reason or "", response.headers, body)


def bearer(token: str) -> str:
    """Authorization header of a token."""
    return f"Bearer {token}"


def basic(user: str, token: str) -> str:
    """Authorization header of a user (in Grafana Cloud: an instance's number) and a token."""
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


class _SystemTrustAdapter(HTTPAdapter):
    """Trusts the system's authorities (and SSL_CERT_FILE), as the rest of Python does, beside those
    that `requests` brings: an office's own is found in the former only."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=ssl.create_default_context(), **options)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, ssl_context=ssl.create_default_context(), **options)


def _retries(tries: int, pause: float) -> Retry:
    """Only for what a server says itself: what was never answered may have been done."""
    return Retry(
        total=tries - 1,
        connect=0,
        read=0,
        redirect=0,
        other=0,
        allowed_methods=None,
        status_forcelist=TRY_AGAIN,
        raise_on_status=False,
        backoff_factor=pause,
        backoff_max=LONGEST_WAIT_SECONDS,
        retry_after_max=LONGEST_WAIT_SECONDS,
    )


def _check(address: str, setting: str, *, signed: bool) -> None:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if "@" in parts.netloc:
        raise RequestError(
            f"{setting} must not hold a user or a password: they have settings of their own"
        )
    if parts.scheme not in ("http", "https") or not host:
        raise RequestError(f"{setting} must be an address such as {_EXAMPLES}, got {address!r}")
    if signed and parts.scheme == "http" and not is_private(host):
        raise RequestError(
            f"{address} ({setting}) is not https: the token would be readable on the way"
        )


def _cause(error: BaseException) -> str:
    """The innermost cause, in the system's words: each library wraps it once more."""
    while True:
        inner = getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((one for one in error.args if isinstance(one, BaseException)), None)
        if not isinstance(inner, BaseException):
            inner = error.__cause__ or error.__context__
        if inner is None:
            break
        error = inner
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
