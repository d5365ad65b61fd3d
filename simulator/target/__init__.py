"""The service under test over HTTP: what it says of its model, and what it answers."""
