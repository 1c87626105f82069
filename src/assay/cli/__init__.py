"""The command line: parse, call one function, print."""

from assay.cli.main import app, main

__all__ = ["app", "main"]
