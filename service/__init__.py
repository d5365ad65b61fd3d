"""What stands behind handler.py: HTTP in and out, the scoring path, feedback. No SDK here."""
