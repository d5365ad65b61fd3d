"""The stack as local processes: what is made first, their configuration, and their run."""
