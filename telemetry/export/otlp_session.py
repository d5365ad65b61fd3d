"""How OTLP goes out over HTTP: past proxies to hosts nearby, and with the reason of a failure."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import requests

from telemetry.export.failures import ExportFailure, explain_error, explain_status
from telemetry.export.private_hosts import is_private


class OtlpSession(requests.Session):
    """A session for one exporter, which keeps the last failure until it is taken.

    HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY hold for public hosts alone. A redirect is a
    failure: the packaged exporter would take it for success and lose the export.
    """

    def __init__(self) -> None:
        super().__init__()
        self._failure: ExportFailure | None = None

    def request(self, method: str, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """As the base class does; raises RequestException for a redirect too."""
        try:
            response = super().request(method, url, *args, **kwargs)
        except Exception as error:
            self._failure = explain_error(str(url), error)
            raise
        self._failure = None
        if response.status_code >= 300:
            self._failure = explain_status(str(url), response.status_code)
        if 300 <= response.status_code < 400:
            raise requests.RequestException("redirected")
        return response

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        """As the base class does, but for private hosts and for a certificate that was named."""
        settings: MutableMapping[str, Any] = super().merge_environment_settings(
            url, proxies, stream, verify, cert
        )
        if is_private(url):
            settings["proxies"] = {}
        if isinstance(self.verify, str):
            # Else REQUESTS_CA_BUNDLE would replace OTEL_EXPORTER_OTLP_CERTIFICATE.
            settings["verify"] = self.verify
        return settings

    def take_failure(self) -> ExportFailure | None:
        """Why the last request failed, given once; None if it did not."""
        failure, self._failure = self._failure, None
        return failure
