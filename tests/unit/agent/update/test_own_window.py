"""The window of a node's own profile, as root told it."""

import pytest
from msgspec.structs import replace

from roost_agent.config_apply.told import NAME, Told, write
from roost_agent.update.own_window import UNREAD, OwnWindow
from roost_protocol.config_report import ConfigState
from roost_protocol.window import Window

SAID = {"days": ["sat"], "start": "02:00", "minutes": 60, "timezone": "Europe/Berlin"}


@pytest.fixture
def own(tmp_path):
    return OwnWindow(tmp_path)


async def test_before_it_was_read_nobody_knows_whether_there_is_one(own):
    assert (own.now, own.fault) == (None, UNREAD)
    await own.look()
    assert (own.now, own.fault) == (None, ""), "nothing was ever applied"


async def test_what_is_applied_counts_and_not_what_waits_or_is_tried(own, tmp_path):
    write(tmp_path, Told(applied={"update-window": SAID}))
    await own.look()
    assert own.now == Window((5,), "02:00", 60, "Europe/Berlin")
    write(tmp_path, Told(applied={"update-window": SAID}, trial={"update-window": {}}))
    await own.look()
    assert own.now is not None
    write(tmp_path, replace(Told(), applied={}))
    await own.look()
    assert (own.now, own.fault) == (None, "")


async def test_root_not_knowing_what_is_applied_is_no_word_that_there_is_none(own, tmp_path):
    write(
        tmp_path,
        Told(state=ConfigState.REFUSED, code="state", text="it is damaged", is_unread=True),
    )
    await own.look()
    assert (own.now, own.fault) == (None, "it is damaged")


@pytest.mark.parametrize(
    "raw", [b"{", b'{"applied": 1}', b'{"applied": {"update-window": {"start": "1"}}}']
)
async def test_what_cannot_be_read_is_no_word_that_there_is_none(own, tmp_path, raw):
    write(tmp_path, Told(applied={"update-window": SAID}))
    await own.look()
    (tmp_path / NAME).write_bytes(raw)
    await own.look()
    assert own.now is None
    assert own.fault
    write(tmp_path, Told(applied={"update-window": SAID}))
    await own.look()
    assert (own.now is not None, own.fault) == (True, "")
