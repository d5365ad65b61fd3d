"""The recording rules, one file a topic, each with the sources of its formulas."""
