"""The HTTP client of the tools around the service, and the one that asks a Prometheus.

It imports nothing of the project, so every room may import it (tests/test_structure.py). The
simulator has a client of its own, because it sends many requests at once (aiohttp).
"""
