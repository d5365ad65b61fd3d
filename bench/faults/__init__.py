"""What overload, slow clients and failing parts do to the running service (docs/reliability.md)."""
