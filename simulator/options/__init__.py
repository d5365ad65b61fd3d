"""The command line and the environment: what can be said, and what is checked before a start."""
