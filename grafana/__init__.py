"""Dashboards as code, and their way into Grafana.

    panels/ (declared) ─▶ render ─▶ generate: JSON files ─▶ provisioning │ import by hand
                             └────▶ cloud/: verify, upload, budget

`python -m grafana` lists the commands: generate, check, verify, upload, budget.
"""
