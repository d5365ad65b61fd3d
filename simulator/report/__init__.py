"""What was sent and what came back: counted, shown while it runs, and summarised at the end."""
