"""Entry of `python -m prometheus`."""

import sys

from prometheus.generator.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
