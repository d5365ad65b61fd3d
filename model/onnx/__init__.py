"""From a fitted estimator to an ONNX graph, and the proof that both give the same scores."""
