"""The files of `assay demo`."""
