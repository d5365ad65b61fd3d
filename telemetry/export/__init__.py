"""From the counts to OTLP and to `/metrics`."""
