"""A real Mosquitto on a free loopback port, for the time of a measurement."""

import signal
import tempfile
from pathlib import Path
from types import TracebackType

from broker import Broker

MORE = "max_queued_messages 100000\nmax_inflight_messages 1000\n"


class Mosquitto:
    """Runs while the context lasts."""

    def __enter__(self) -> "Mosquitto":
        self._folder = tempfile.TemporaryDirectory(prefix="roost-broker-")
        self._broker = Broker(Path(self._folder.name), more=MORE)
        self.port: int = self._broker.port
        try:
            self._broker.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._broker.kill(signal.SIGTERM)
        self._folder.cleanup()

    @property
    def pid(self) -> int:
        """The process."""
        return self._broker.pid
