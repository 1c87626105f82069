"""What the machine's processors used while something ran, as far as they count it.

Linux counts the energy of each processor package in microjoules and starts again at a limit, which a busy package reaches
within the hour: so the counters are read every minute. They count the whole machine, whoever used it.

Source: the powercap framework of the Linux kernel (intel-rapl).
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Self

COUNTERS = Path("/sys/class/powercap")
_EVERY = 60.0


class Meter:
    """Joules used by all processor packages within its block.

    Attributes:
        missing: Why there is no number; empty where there is one.
    """

    def __init__(self, counters: Path = COUNTERS, every: float = _EVERY) -> None:
        self._packages = sorted(path for path in counters.glob("intel-rapl:*") if path.name.count(":") == 1)
        self.missing = "" if self._packages else "this machine shows no energy counters (powercap)"
        self._every = every
        self._sum = 0.0
        self._last: list[int] = []
        self._lock, self._ended = threading.Lock(), threading.Event()

    @property
    def joules(self) -> float | None:
        """Joules from the beginning of the block to now or to its end; None where nobody knows."""
        self._read()
        return None if self.missing else self._sum

    def __enter__(self) -> Self:
        self._read()
        if not self.missing:
            threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._read()
        self._ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(self._every):
            self._read()

    def _read(self) -> None:
        with self._lock:
            if self.missing or self._ended.is_set():
                return
            try:
                now = [int((path / "energy_uj").read_text()) for path in self._packages]
                for before, after, path in zip(self._last, now, self._packages, strict=False):
                    around = 0 if after >= before else int((path / "max_energy_range_uj").read_text())
                    self._sum += (after - before + around) / 1e6
                self._last = now
            except (OSError, ValueError) as error:
                self.missing = f"the energy counters of this machine cannot be read ({type(error).__name__})"
