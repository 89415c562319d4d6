"""Serves the control socket: 0600, a few clients, short lines, short waits."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from roost_agent.control.message import REQUEST_BYTES_MAX, Answer, Request, request_decoder

log = logging.getLogger(__name__)

SOCKET: Final = "control.sock"
CLIENTS_MAX: Final = 8
WAIT_S: Final = 5.0  # for a client's line, and for it to read the answer

Handler = Callable[[Request], Answer]


@asynccontextmanager
async def serving(state_dir: Path, handler: Handler) -> AsyncIterator[None]:
    """Answer on ``state_dir``/control.sock while the block runs.

    The state directory is ours alone (0700), so nobody connects before the mode is set.
    """
    server = _Server(handler)
    path = state_dir / SOCKET
    try:
        path.unlink(missing_ok=True)
        listener = await asyncio.start_unix_server(server.serve, path, limit=REQUEST_BYTES_MAX)
        path.chmod(0o600)
    except OSError as err:
        log.warning("control: no socket, the agent runs without: %s", err)
        yield
        return
    async with listener:
        try:
            yield
        finally:
            with suppress(FileNotFoundError):
                path.unlink()


class _Server:
    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._clients = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client's one line."""
        self._clients += 1
        try:
            async with asyncio.timeout(WAIT_S):
                answer = await self._answer(reader)
                writer.write(msgspec.json.encode(answer) + b"\n")
                await writer.drain()
        except (TimeoutError, OSError) as err:
            log.info("control: a client left or dawdled: %s", err)
        finally:
            self._clients -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> Answer:
        try:
            line = await reader.readuntil(b"\n")
            request = request_decoder.decode(line)
        except asyncio.LimitOverrunError:
            return Answer(error=f"request longer than {REQUEST_BYTES_MAX} bytes")
        except asyncio.IncompleteReadError:
            return Answer(error="request cut: a line ends with a newline")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as err:
            return Answer(error=f"request: {err}")
        if self._clients > CLIENTS_MAX:
            return Answer(error=f"busy: {CLIENTS_MAX} clients are being served")
        return self._handler(request)
