"""What recursive training will do to the data."""
