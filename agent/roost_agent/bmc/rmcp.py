"""Whether anything at an address speaks IPMI: one question that needs no password."""

import asyncio
from typing import Final

# Get Channel Authentication Capabilities (IPMI 2.0, table 22-15), outside of any session: RMCP's
# head, an empty session, the request for this channel with IPMI 2.0's data and the role Operator.
QUESTION: Final = bytes.fromhex("0600ff07 00 00000000 00000000 09 20 18 c8 81 00 38 8e 03 b6")
ANSWER_S: Final = 1.0
_RMCP_IPMI: Final = b"\x06\x00\xff\x07"


class _Hearing(asyncio.DatagramProtocol):
    """Says when an answer came."""

    def __init__(self) -> None:
        self.heard: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _from: tuple[str, int]) -> None:
        """Take an answer; what is no IPMI is none."""
        if data.startswith(_RMCP_IPMI) and not self.heard.done():
            self.heard.set_result(True)

    def error_received(self, _err: Exception) -> None:
        """Take that nobody listens there."""
        if not self.heard.done():
            self.heard.set_result(False)


async def answers(host: str, port: int) -> bool:
    """Return whether IPMI is spoken there."""
    try:
        transport, hearing = await asyncio.get_running_loop().create_datagram_endpoint(
            _Hearing, remote_addr=(host, port)
        )
    except OSError:
        return False
    try:
        transport.sendto(QUESTION)
        async with asyncio.timeout(ANSWER_S):
            return await hearing.heard
    except TimeoutError:
        return False
    finally:
        transport.close()
