"""What is read of the kernel's news."""

import asyncio
import socket

from roost_agent.wake.core import DeviceMoved, LinksMoved
from roost_agent.wake.kernel import KernelNews, subsystem

UEVENT = (
    b"add@/devices/pci0/usb1\0ACTION=add\0DEVPATH=/devices/pci0/usb1\0SUBSYSTEM=usb\0SEQNUM=1\0"
)


def test_the_subsystem_is_found_wherever_it_stands():
    assert subsystem(UEVENT) == "usb"
    assert subsystem(b"change@/x\0ACTION=change\0") == ""
    assert subsystem(b"\xff\0SUBSYSTEM=\xff\0") == "\ufffd"


async def test_both_sockets_open_and_close_on_this_kernel():
    news = KernelNews([].append)
    news.open()
    assert len(news._sockets) == 2
    news.close()
    assert news._sockets == []


async def test_any_datagram_is_news_and_a_storm_is_taken_in_turns():
    told = []
    news = KernelNews(told.append)
    ours, kernels = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.setblocking(False)
    with ours, kernels:
        asyncio.get_running_loop().add_reader(ours, news._read, ours, news._device)
        for _ in range(3):
            kernels.send(UEVENT)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asyncio.get_running_loop().remove_reader(ours)
    assert told == [DeviceMoved("usb")] * 3
    news._link(b"")
    assert told[-1] == LinksMoved()
