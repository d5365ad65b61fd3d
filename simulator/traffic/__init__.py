"""What is sent and when, decided by a seed before anything is sent: arrivals, faults, labels."""
