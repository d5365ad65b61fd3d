"""Entry of `python -m prometheus`."""

import sys

try:
    from prometheus.generator.__main__ import main
except ModuleNotFoundError as missing:
    sys.exit(
        f"prometheus: {missing.name} is not installed here; ask .venv/ops/bin/python -m prometheus"
    )

if __name__ == "__main__":
    sys.exit(main())
