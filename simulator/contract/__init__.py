"""What all parts share: the words of the service and of a run, and what a model says of itself."""
