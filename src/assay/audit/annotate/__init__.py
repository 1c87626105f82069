"""Column-makers: each file computes one thing per row, once, for every probe that needs it."""
