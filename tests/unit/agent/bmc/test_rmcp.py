"""Whether IPMI is spoken at an address: asked without a password."""

import asyncio

from board_controllers import free_port

from roost_agent.bmc import rmcp


class Speaker(asyncio.DatagramProtocol):
    def __init__(self, said):
        self.said, self.transport = said, None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        assert data == rmcp.QUESTION
        if self.said:
            self.transport.sendto(self.said, addr)


async def asked(said):
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: Speaker(said), local_addr=("127.0.0.1", 0)
    )
    try:
        return await rmcp.answers("127.0.0.1", transport.get_extra_info("sockname")[1])
    finally:
        transport.close()


async def test_an_answer_of_ipmi_counts_and_any_other_or_none_does_not(monkeypatch):
    monkeypatch.setattr(rmcp, "ANSWER_S", 0.2)
    assert await asked(bytes.fromhex("0600ff07") + bytes(26))
    assert not await asked(b"HTTP/1.1 400")
    assert not await asked(b"")
    assert not await rmcp.answers("127.0.0.1", free_port())
