"""The recording rules, one file a topic."""
