"""Where batches run: reading files, and mapping a function over batches."""
