"""Everything that learns or writes text."""
