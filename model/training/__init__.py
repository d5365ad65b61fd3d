"""Candidates, calibration, thresholds, and the figures by which they are judged."""
