"""Two rule groups, as a rule file has them."""

from __future__ import annotations

RECORDING = {
    "name": "shares",
    "interval": "60s",
    "rules": [{"record": "job:predictions:rate5m", "expr": "sum(rate(predictions_total[5m]))"}],
}
ALERTS = {
    "name": "errors: every one",
    "rules": [
        {"alert": "Failing", "expr": "up == 0", "for": "5m", "labels": {"severity": "page"}},
        {"alert": "Silent", "expr": "absent(up)"},
    ],
}
