"""A local page over a folder of runs: reports, comparisons, and rows to search, label and export."""
