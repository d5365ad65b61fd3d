"""The names of the models that `train` tries: here without scikit-learn, for the command line.

Each has its maker in model/training/candidates.py and its ONNX graph in model/onnx/export.py; a
test names the one that is missing.
"""

from __future__ import annotations

from typing import Final

CANDIDATE_NAMES: Final = ("logistic", "boosting", "forest")
# What is tried on synthetic rows: the forest takes most of the time.
SYNTHETIC_CANDIDATES: Final = ("logistic", "boosting")
