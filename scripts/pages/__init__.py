"""Pages that follow from the code, one kind a file. Each `pages()` gives texts by their path below docs/."""
