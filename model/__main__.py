"""Entry of `python -m model`."""

import sys

try:
    from model.cli import main
except ModuleNotFoundError as missing:
    sys.exit(f"model: {missing.name} is not installed here; ask .venv/train/bin/python -m model")

sys.exit(main())
