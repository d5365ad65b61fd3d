"""How the bounds of histograms are written."""

from __future__ import annotations


class BucketBound(float):
    """A bucket's bound that is written as Prometheus' OTLP receiver writes it: 0.00001, 1, 2.5.

    Python writes 1e-05 and 1.0, which would be other values of the label `le` on `/metrics`.
    """

    def __format__(self, spec: str) -> str:
        return f"{float(self):.9f}".rstrip("0").rstrip(".")
