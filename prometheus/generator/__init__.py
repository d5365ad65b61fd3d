"""The rules of Prometheus, generated from short intent: `python -m prometheus generate|check`.

slo.yml and thresholds.yml are written by hand; so are the formulas in drift.py, quality.py,
expected.py, slo.py and alerts.py. Everything in rules/ follows from them.
"""
