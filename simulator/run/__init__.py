"""Sends requests and labels when they are due, and ends on a signal."""
