"""The alerts, one file a topic."""
