"""Published versions: writing, comparing and describing them."""
