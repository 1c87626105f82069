"""Groups of people that texts speak of, as lists of words that a user can read, replace and extend."""
