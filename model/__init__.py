"""The model: what serves it (`serving/`), and what trains, imports, publishes and promotes one.

`serving/` is all that the handler imports and that its image contains; it needs msgspec, numpy and
onnxruntime only. The folders import each other in this order: serving, data, training, onnx,
registry, promotion; above them the commands of `python -m model --help`.
"""

import os

# ONNX Runtime sends usage events to its maker unless told not to before its first import; its
# thread for them also makes a forked worker abort when it exits.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
