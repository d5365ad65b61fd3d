"""Counts in shared memory: where each series has its cells, who holds them, how they are read."""
