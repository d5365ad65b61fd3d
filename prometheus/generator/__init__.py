"""The rules of Prometheus, generated from short intent: `python -m prometheus generate|check`.

slo.yml and thresholds.yml are written by hand; so are the formulas in recordings/ and the alerts in
alerts/. Everything in rules/ follows from them, and so do some parts elsewhere (derived.py).
"""
