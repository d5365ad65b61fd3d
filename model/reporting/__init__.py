"""The report of a version: what people look at before they decide, as one page and as JSON."""
