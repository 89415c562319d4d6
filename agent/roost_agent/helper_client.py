"""The agent's side of the helper's socket: one connection a request, bounded, with a typed no."""

import asyncio
from typing import Final

from roost_agent.errors import AgentError
from roost_agent.helper import SOCKET
from roost_agent.helper.frame import HEADER, FrameError, check_size, encode, parse

CONNECT_S: Final = 2.0  # systemd listens, whether the helper runs or not
ANSWER_S: Final = 65.0  # it gives systemd 60 s


class HelperError(AgentError):
    """The helper did not do it.

    Attributes:
        error: one word: bad, rate, busy, unknown, catalogue, budget, replayed, state,
            failed, timeout.
    """

    def __init__(self, error: str, detail: str) -> None:
        self.error = error
        super().__init__(f"helper: {error}: {detail}")


class HelperGoneError(AgentError):
    """No helper is here, or it does not answer: what was asked may be done or not.

    To a user who may not ask it says nothing; its log does.
    """


async def ask(verb: str, *, socket: str = SOCKET, seconds: float = ANSWER_S, **given: str) -> None:
    """Have the helper do one verb, and return once it is done.

    Args:
        verb: of the helper's closed list (``roost_agent.helper.frame.VERBS``).
        socket: the helper's.
        seconds: how long to wait for the answer.
        given: the verb's fields.

    Raises:
        HelperError: it refused, or it failed.
        HelperGoneError: no answer came.
    """
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_unix_connection(socket)
    except (OSError, TimeoutError) as err:
        why = str(err) or "takes no connection"
        todo = "start roost-helper.socket there (docs/helper.md)"
        raise HelperGoneError(f"helper: {socket}: {why}; {todo}") from err
    try:
        async with asyncio.timeout(seconds):
            writer.write(encode({"verb": verb, **given}))
            await writer.drain()
            (size,) = HEADER.unpack(await reader.readexactly(HEADER.size))
            check_size(size)
            answer = parse(await reader.readexactly(size))
    except (OSError, EOFError, TimeoutError, FrameError) as err:
        raise HelperGoneError(f"helper: no answer to {verb}: {str(err) or 'too late'}") from err
    finally:
        writer.close()
    if answer.get("ok") is not True:
        raise HelperError(str(answer.get("error", "")), str(answer.get("detail", "")))
