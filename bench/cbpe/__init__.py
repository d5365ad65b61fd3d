"""Expected performance by the rules against NannyML's."""
