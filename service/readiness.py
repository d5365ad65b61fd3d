"""Whether this process should get traffic: what /health/ready answers, with the reason if not."""

from __future__ import annotations

from collections.abc import Callable

from model.serving.features import TransactionReader
from model.serving.scorer import Scorer
from service.schemas import example_transaction


class Readiness:
    """Ready while the model scores, the counters can be written and the process is not stopping.

    `why_not_writable` says in one sentence why nothing can be counted, or gives None.
    """

    def __init__(self, scorer: Scorer, why_not_writable: Callable[[], str | None]) -> None:
        self._scorer = scorer
        card = scorer.card
        self._row = TransactionReader(card).read(example_transaction(card)).row
        self._why_not_writable = why_not_writable
        self._stopping = False

    def begin_shutdown(self) -> None:
        """The process got the signal to stop: from now on it is not ready."""
        self._stopping = True

    def why_not_ready(self) -> str | None:
        """One sentence for whoever asks why there is no traffic; None while it is ready."""
        if self._stopping:
            return "the process is stopping"
        try:
            self._scorer.score([self._row])
        except Exception as error:
            return f"the model {self._scorer.card.version} cannot score: {type(error).__name__}"
        return self._why_not_writable()
