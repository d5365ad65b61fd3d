"""A cluster without nodes that KEDA scales: its programs, its pods, its load, what is found."""
