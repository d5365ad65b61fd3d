"""`python -m simulator`; see `python -m simulator --help`."""

from __future__ import annotations

import sys

from simulator.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
