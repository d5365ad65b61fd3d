"""Runs the whole service on one machine: `python -m stack` (see `stack/__main__.py`).

    commands/ ─▶ docker/ | native/ ─▶ supervision/, monitoring/, traces/

The modules beside the folders serve all of them. `environments` and `build`, and what these import
(`errors`, `file_lock`, `progress`, `subprocesses`), need no package beside Python itself, because
they make the environments that bring the packages.
"""
