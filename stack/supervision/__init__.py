"""Processes that live and end together: the supervisor, their records, their log files."""
