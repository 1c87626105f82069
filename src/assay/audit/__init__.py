"""Corpora in, measures out: what is wrong with the data."""
