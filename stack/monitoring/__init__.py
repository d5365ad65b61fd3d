"""What the running stack says of itself: readiness, key metrics, alerts."""
