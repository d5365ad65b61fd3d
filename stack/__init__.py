"""Runs the whole service on one machine: `python -m stack` (see `stack/__main__.py`).

Everything up to and including `environments.py` and `build.py` needs no package beside Python
itself, because it makes the environments that bring the packages.
"""
