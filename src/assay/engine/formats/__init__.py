"""One file per kind of file format; `records` is the way in."""
