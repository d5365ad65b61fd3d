"""Made-up replicas before the real stack: what they take, and what follows for others."""
