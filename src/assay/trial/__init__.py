"""Corpora in, trials and measures out: what training on the data does."""
