"""The model: its card, what a request must look like, the scorer, and how it is trained.

Serving side, needs msgspec, numpy and onnxruntime only: errors, card, features, scorer, registry,
sampling. Everything else trains and publishes (`python -m model --help`) and is never imported by
the handler.
"""

import os

# ONNX Runtime sends usage events to its maker unless told not to before its first import; its
# thread for them also makes a forked worker abort when it exits.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
