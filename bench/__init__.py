"""What the handler costs, measured side by side: `python -m bench`."""
