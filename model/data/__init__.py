"""Where rows come from: tables of anybody's own, synthetic transactions, and how they are split."""
