"""Grafana's and Mimir's HTTP APIs: upload, verify, budget."""
