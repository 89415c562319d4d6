"""A wall clock that tests set: of one program and its children, OpenSSL's in them included.

Time namespaces leave the wall clock alone, and setting it would set the whole machine's. So
libfaketime answers for the C library: what a file says is added, and looked up at each call. The
clocks that never step are left as they are. Python's ``time.sleep`` is an error there (libfaketime
0.9.10), which of the agent's parts only children that look at the kernel use.
"""

from pathlib import Path

TEN_YEARS_S = 315_576_000
LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
WHY_NONE = "" if LIBRARY else "libfaketime is not installed"


class WallClock:
    """One clock, right until it is set."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)

    def set(self, ahead_s: int) -> None:
        """Put it ahead of the true time, or behind it."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{ahead_s:+d}s\n")
        fresh.rename(self._file)  # never half of it

    def close(self) -> None:
        """Take away what programs that were killed left behind in shared memory."""
        for left in Path("/dev/shm").glob("*faketime_s?m_*"):
            if not Path("/proc", left.name.rpartition("_")[2]).exists():
                left.unlink(missing_ok=True)

    @property
    def environ(self) -> dict[str, str]:
        """What a program's environment needs to live by it."""
        assert LIBRARY is not None, WHY_NONE  # without it every clock would be right
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
