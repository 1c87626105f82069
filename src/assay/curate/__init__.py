"""A corpus and what was found of it in, a better corpus out."""
