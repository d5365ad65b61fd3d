"""The model: its card, what a request must look like, the scorer, and how it is trained.

Serving side, needs msgspec, numpy and onnxruntime only: errors, card, features, scorer, registry,
sampling. Everything else trains and publishes (`python -m model --help`) and is never imported by
the handler.
"""
