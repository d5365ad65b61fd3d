"""Published versions: how one comes to be, and what is told of it."""
