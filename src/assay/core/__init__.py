"""The nouns. Imports nothing from the rest of the package."""
