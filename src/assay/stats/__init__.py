"""Arrays in, numbers out: intervals, paired comparisons, curve fits."""
