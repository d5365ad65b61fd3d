"""The service under test over HTTP: what it says of itself, and what it answers."""
