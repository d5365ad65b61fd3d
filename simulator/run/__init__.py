"""Sends requests and labels when they are due."""
