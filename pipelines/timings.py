"""What a step costs: wall and CPU seconds, and the highest memory of the process while it ran."""

import threading
from dataclasses import dataclass

import psutil


@dataclass
class StepTiming:
    """Wall and CPU seconds of one step, and the highest memory of the process while it ran (bytes)."""

    step: str
    seconds: float
    cpu_seconds: float
    peak_memory: int


class MemoryWatch:
    """The highest resident memory of this process while the block runs, sampled twenty times a second."""

    def __init__(self) -> None:
        self.peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        process = psutil.Process()
        while True:
            self.peak = max(self.peak, process.memory_info().rss)
            if self._stop.wait(0.05):
                self.peak = max(self.peak, process.memory_info().rss)
                return
