"""The way to a TPM: the kernel's device, or the socket of an emulator.

``/dev/tpmrm0`` is the kernel's resource manager: others use the chip at the same time, and what we
leave in it goes when we close. The kernel bounds how long the chip may take; a socket has ours.
"""

import os
import socket
import stat
import struct
from pathlib import Path
from typing import Final, Protocol

from roost_agent.errors import AgentError

ANSWER_BYTES_MAX: Final = 4096  # TPM_PT_MAX_RESPONSE_SIZE of every TPM there is
ANSWER_S: Final = 120.0  # to make an RSA key takes a slow chip half a minute
HEADER_BYTES: Final = 10


class TpmError(AgentError):
    """This box's TPM cannot be used for a claim; its text says what to do."""


class Link(Protocol):
    """Carries a command and its answer, both whole."""

    def exchange(self, command: bytes) -> bytes:
        """Return the answer to a command.

        Raises:
            OSError: there is none.
        """

    def close(self) -> None:
        """Let the TPM go."""


def connect(file: str) -> Link:
    """Return the way to a TPM: a character device, or a socket of an emulator.

    Raises:
        TpmError: there is none.
    """
    try:
        mode = Path(file).stat().st_mode
        if stat.S_ISSOCK(mode):
            return _Socket(file)
        if stat.S_ISCHR(mode):
            return _Device(file)
    except OSError as err:
        hint = "see [join] tpm, and that this box has a TPM 2.0 that its firmware turned on"
        raise TpmError(f"{file}: {err.strerror}; {hint}") from err
    raise TpmError(f"{file}: neither a TPM's device nor a socket; see [join] tpm")


class _Device:
    def __init__(self, file: str) -> None:
        self._handle = os.open(file, os.O_RDWR | os.O_CLOEXEC)

    def exchange(self, command: bytes) -> bytes:
        os.write(self._handle, command)  # the kernel takes and gives whole ones only
        return os.read(self._handle, ANSWER_BYTES_MAX)

    def close(self) -> None:
        os.close(self._handle)


class _Socket:
    def __init__(self, file: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(ANSWER_S)
        try:
            self._socket.connect(file)
        except OSError:
            self._socket.close()
            raise

    def exchange(self, command: bytes) -> bytes:
        self._socket.sendall(command)
        header = self._exactly(HEADER_BYTES)
        _tag, length = struct.unpack_from(">HI", header)
        return header + self._exactly(min(length, ANSWER_BYTES_MAX) - HEADER_BYTES)

    def close(self) -> None:
        self._socket.close()

    def _exactly(self, length: int) -> bytes:
        found = b""
        while len(found) < length:
            part = self._socket.recv(length - len(found))
            if not part:
                raise ConnectionResetError(0, "hung up")
            found += part
        return found
