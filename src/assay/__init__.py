"""Assay: does this synthetic data help or harm my model, what is wrong with it, how much to mix in?"""

__version__ = "0.1.0"
