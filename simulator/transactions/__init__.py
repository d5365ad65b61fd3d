"""Where transactions come from: the default model's documented process, or any model's training."""
