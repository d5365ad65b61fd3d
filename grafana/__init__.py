"""Dashboards as code, and their way into Grafana.

    panels (the table) ─▶ dashboard ─▶ JSON files ─▶ provisioning │ import by hand │ upload

`python -m grafana` lists the words: generate, check, verify, upload, budget.
"""
