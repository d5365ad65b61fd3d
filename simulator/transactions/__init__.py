"""Where transactions come from: the default model's documented process, or a model's own training."""
