"""A table's rows as traffic: in their order, at their pace, with their own labels."""
