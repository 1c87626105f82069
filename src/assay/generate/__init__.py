"""A recipe and a model in, a corpus with lineage out."""
