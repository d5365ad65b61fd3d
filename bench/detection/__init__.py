"""Drills and studies of false alarms: what is detected, how soon, and how often wrongly."""
