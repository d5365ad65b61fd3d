"""A declared dashboard as Grafana's JSON (classic schema), by the Foundation SDK.

board ─▶ variables, links, panels ─▶ series (lines), cells (tables, bars, points), numbers
"""
