"""Is the challenger better? Outcomes out of Prometheus, a sequential test, the decision."""
