"""Compiled loops over Arrow text buffers: tokens, n-grams, near-duplicates, spans."""
