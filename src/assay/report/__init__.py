"""Evidence in, pages out. Reads the nouns only, so any version can draw any run."""
