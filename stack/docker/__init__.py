"""The stack in containers: the engine of this machine, and what runs under it."""
