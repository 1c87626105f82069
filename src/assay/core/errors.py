"""Every error Assay raises on purpose, in one tree.

    AssayError
    ├── InputError     the user's files, columns or settings are wrong
    ├── MissingExtra   an optional package is needed and absent
    ├── EngineError    reading, mapping or a foreign library failed
    └── StepError      a step could not be finished or reopened

A message says what is wrong, where, and what to do next.
"""


class AssayError(Exception):
    """Base of the tree; `exit_code` is what the command line returns for it."""

    exit_code = 2

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        self.what, self.where, self.fix = what, where, fix
        lines = [what if where is None else f"{where}: {what}"]
        if fix is not None:
            lines.append(fix)
        super().__init__("\n".join(lines))


class InputError(AssayError):
    """A file, column, row or setting that cannot be used as given."""


class MissingExtra(AssayError):
    """An optional package is not installed; the message holds the line that installs it."""

    def __init__(self, package: str, extra: str, *, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package!r}, which is not installed.",
            fix=f"Install it with: pip install 'assay[{extra}]'",
        )


class EngineError(AssayError):
    """A foreign library or the machine failed under us; wrapped where it happened."""


class StepError(AssayError):
    """A step's folder is damaged, or its work could not be completed."""
