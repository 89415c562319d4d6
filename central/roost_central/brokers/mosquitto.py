"""One Mosquitto process, kept running from a configuration file and told when that has changed.

It dies with this process, also when this one is killed. Leaves to others: what stands in the files.
"""

import asyncio
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from roost_central.errors import ConfigError
from roost_central.ports import Clock, Entropy

logger = logging.getLogger(__name__)

# The oldest that the tests ran with. Distributions mend later faults below this number, so a higher
# one would prove nothing: the broker is not trusted anyway (docs/adr/0014-seals.md).
VERSION_MIN: Final = (2, 0, 11)
VERSION_S_MAX: Final = 5.0
STOP_S: Final = 5.0
STEADY_MS: Final = 60_000  # a broker that lived so long starts its back-off anew
RETRY_S_MIN: Final = 1.0
RETRY_S_MAX: Final = 60.0
SBIN: Final = "/usr/sbin"  # where Debian puts mosquitto, and not on a user's PATH
TETHER: Final = "roost_central.demo.tether"
_VERSION: Final = re.compile(rb"mosquitto version (\d+)\.(\d+)\.(\d+)")


class Mosquitto:
    """The process.

    Args:
        name: for the log, ``the NOC's broker``.
        config: what it reads.
    """

    def __init__(self, name: str, config: Path, clock: Clock, entropy: Entropy) -> None:
        self.name = name
        self.pid: int | None = None
        self._config = config
        self._clock = clock
        self._entropy = entropy

    async def run(self) -> None:
        """Keep it running until cancelled."""
        retry_s = RETRY_S_MIN
        while True:
            began_ms = self._clock.mono_ms()
            process = await asyncio.create_subprocess_exec(
                *self._argv(), stdin=asyncio.subprocess.DEVNULL
            )
            self.pid = process.pid
            logger.info("%s runs as %d", self.name, process.pid)
            try:
                code = await process.wait()
            finally:
                self.pid = None
                await _end(process)
            if self._clock.mono_ms() - began_ms >= STEADY_MS:
                retry_s = RETRY_S_MIN
            logger.warning("%s ended with %d and is started again", self.name, code)
            await asyncio.sleep(self._entropy.uniform(retry_s / 2, retry_s))
            retry_s = min(2 * retry_s, RETRY_S_MAX)

    def reload(self) -> None:
        """Have it read its rules, its certificate and what is revoked anew; sessions stay."""
        if self.pid is not None:
            with suppress(ProcessLookupError):  # it just ended, and reads them when it starts
                os.kill(self.pid, signal.SIGHUP)

    def _argv(self) -> tuple[str, ...]:
        """Return the command, tied to this process: a killed centre leaves no broker behind."""
        command = (mosquitto() or "mosquitto", "-c", str(self._config))
        return (sys.executable, "-m", TETHER, str(os.getpid()), *command)


def mosquitto() -> str | None:
    """Return the path of the Mosquitto that is installed, if one is."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:{SBIN}")


def check_version(field: str) -> str:
    """Return the version of the Mosquitto that is installed.

    Raises:
        ConfigError: none is, or an older one than VERSION_MIN; ``field`` is what asks for it.
    """
    bound = "version " + ".".join(map(str, VERSION_MIN)) + " or newer, installed"
    program = mosquitto()
    if program is None:
        raise ConfigError("mosquitto", field=field, bound=bound)
    told = subprocess.run(  # noqa: S603 - the broker, asked for its version
        [program, "-h"], capture_output=True, timeout=VERSION_S_MAX, check=False
    )
    found = _VERSION.search(told.stdout)
    version = tuple(int(part) for part in found.groups()) if found else ()
    if version < VERSION_MIN:
        raise ConfigError("mosquitto", field=field, got=".".join(map(str, version)), bound=bound)
    return ".".join(map(str, version))


def user_line() -> str:
    """Return the line that keeps root from becoming Mosquitto's own user, who cannot read ours.

    As another user it stays who it is, and the line would be refused.
    """
    return "user root\n" if os.geteuid() == 0 else ""


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
