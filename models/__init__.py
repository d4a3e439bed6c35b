"""The tables, with their named selects beside them."""
