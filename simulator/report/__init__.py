"""What was sent and what came back, counted and told."""
