"""Why an export failed: one clause, and the variable to look at."""

from __future__ import annotations

import errno
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from socket import gaierror

from requests import exceptions

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
TIMEOUT = "OTEL_EXPORTER_OTLP_TIMEOUT"
CERTIFICATE = "OTEL_EXPORTER_OTLP_CERTIFICATE"
CLIENT_CERTIFICATE = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"
PROXY = "HTTPS_PROXY, HTTP_PROXY and NO_PROXY"

_CREDENTIALS_REFUSED = (401, 403)
_NOT_FOUND = (404, 405)
_OVERLOADED = (429, 502, 503, 504)
_USER = re.compile(r"(^|//)[^/@]*@")


@dataclass(frozen=True)
class ExportFailure:
    """`kind` is equal for failures of one cause: it need not be logged twice."""

    kind: str
    reason: str
    variable: str


def explain_status(url: str, status: int) -> ExportFailure:
    """Why an answer with this HTTP status is a failure."""
    where, variable = redact_url(url), ENDPOINT
    if 300 <= status < 400:
        reason = f"{where} redirects elsewhere"
    elif status in _CREDENTIALS_REFUSED:
        reason, variable = f"{where} refuses the credentials", HEADERS
    elif status == 407:
        reason, variable = f"the proxy before {where} wants credentials", PROXY
    elif status in _NOT_FOUND:
        reason = f"nothing takes OTLP at {where}"
    elif status in _OVERLOADED:
        reason = f"{where} is overloaded or not ready"
    else:
        reason = f"{where} refuses the export"
    return ExportFailure(f"status {status}", f"{reason} (status {status})", variable)


def explain_error(url: str, error: Exception) -> ExportFailure:
    """Why no answer came at all."""
    where = redact_url(url)
    for explain in (_explain_request, _explain_tls, _explain_proxy, _explain_connection):
        if (failure := explain(where, error)) is not None:
            return failure
    kind = type(error).__name__
    return ExportFailure(kind, f"{where} cannot be asked ({kind})", ENDPOINT)


def redact_url(url: str) -> str:
    """The URL as it may be logged: without user, password and query."""
    return _USER.sub(r"\1", url.partition("?")[0])


def _explain_request(where: str, error: Exception) -> ExportFailure | None:
    if isinstance(error, exceptions.InvalidHeader):
        return ExportFailure("header", "a header cannot be sent", HEADERS)
    if isinstance(error, exceptions.InvalidProxyURL) or "SOCKS" in str(error):
        return ExportFailure("proxy", "the proxy's address cannot be used", PROXY)
    if isinstance(error, exceptions.MissingSchema | exceptions.InvalidSchema):
        return ExportFailure("scheme", f"{where} does not begin with http:// or https://", ENDPOINT)
    if isinstance(error, exceptions.InvalidURL):
        return ExportFailure("address", f"{where} is not a valid address", ENDPOINT)
    return None


def _explain_tls(where: str, error: Exception) -> ExportFailure | None:
    # `requests` says of a file that is not there only this, without a type of its own.
    if "invalid path" in str(error):
        variable = CERTIFICATE if "CA certificate" in str(error) else CLIENT_CERTIFICATE
        return ExportFailure("certificate file", str(error), variable)
    for cause in _causes_of(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = f"the certificate of {where} is not trusted ({cause.verify_message})"
            return ExportFailure("certificate", reason, CERTIFICATE)
        if isinstance(cause, ssl.SSLError):
            return _explain_tls_error(where, cause)
    return None


def _explain_tls_error(where: str, error: ssl.SSLError) -> ExportFailure:
    # Under TLS 1.3 a server that wants a certificate of the client says so, or just hangs up.
    if isinstance(error, ssl.SSLEOFError) or "CERTIFICATE" in (error.reason or ""):
        return ExportFailure("tls ended", f"{where} ends the TLS connection", CLIENT_CERTIFICATE)
    return ExportFailure("tls", f"{where} does not speak TLS ({error.reason})", ENDPOINT)


def _explain_proxy(where: str, error: Exception) -> ExportFailure | None:
    if isinstance(error, exceptions.ProxyError):
        return ExportFailure("proxy", f"the proxy does not connect to {where}", PROXY)
    return None


def _explain_connection(where: str, error: Exception) -> ExportFailure | None:
    if isinstance(error, exceptions.ConnectTimeout):
        return ExportFailure("unreachable", f"{where} cannot be reached in time", ENDPOINT)
    if isinstance(error, exceptions.Timeout):
        return ExportFailure("timeout", f"{where} did not answer in time", TIMEOUT)
    for cause in _causes_of(error):
        if isinstance(cause, gaierror):
            return ExportFailure("name", f"the host of {where} cannot be resolved", ENDPOINT)
        if isinstance(cause, ConnectionRefusedError):
            return ExportFailure("refused", f"{where} refuses the connection", ENDPOINT)
        if isinstance(cause, OSError) and (name := errno.errorcode.get(cause.errno or 0)):
            reason = f"{where} cannot be reached ({cause.strerror})"
            return ExportFailure(name, reason, ENDPOINT)
        if isinstance(cause, ConnectionError):
            return ExportFailure("closed", f"{where} closed the connection", ENDPOINT)
    return None


def _causes_of(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it, which `requests` and urllib3 keep as cause or argument."""
    left: list[object] = [error]
    seen: list[object] = []
    while left:
        cause = left.pop(0)
        if isinstance(cause, BaseException) and cause not in seen:
            seen.append(cause)
            yield cause
            left += [cause.__cause__, cause.__context__, *cause.args]
