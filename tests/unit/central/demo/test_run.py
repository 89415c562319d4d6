"""The order of things: what ends what."""

import asyncio
import socket

import pytest

from roost_central.demo.brokers import free_port
from roost_central.demo.children import ChildFailedError
from roost_central.demo.run import EXIT_FAILED, Plan, cut_short, run


async def test_work_that_is_done_is_not_cut_short():
    assert not await cut_short(asyncio.sleep(0), by=asyncio.Event().wait())


async def test_work_is_cut_short_by_what_ends_first():
    assert await cut_short(asyncio.Event().wait(), by=asyncio.sleep(0))


async def test_a_failure_of_the_work_is_raised_as_itself():
    async def fail():
        raise ChildFailedError("the centre does not start")

    with pytest.raises(ChildFailedError, match="does not start"):
        await cut_short(fail(), by=asyncio.Event().wait())


def test_a_taken_port_ends_the_demo_before_anything_is_started(capsys, tmp_path):
    port = free_port("127.0.0.1")
    with socket.create_server(("127.0.0.1", port)):
        assert run(Plan(0, 1.0, port), str(tmp_path / "demo")) == EXIT_FAILED
    assert "--port 0" in capsys.readouterr().err
    assert list((tmp_path / "demo" / "logs").iterdir()) == []
