"""A drive that fetches late, never, or holds something already."""

import pytest

from roost_agent.bmc.command import run
from roost_agent.bmc.fault import BmcError, Fault
from roost_agent.bmc.ipmi import Ipmi
from roost_agent.bmc.media import READ_S, URL_CHARS_MAX, eject, insert
from roost_agent.errors import AgentError

URL = "https://10.0.0.1/image.iso"


class Drive:
    """A machine's virtual drive, and the time that its users wait; ``late_s`` None: it nods."""

    def __init__(self, held="", late_s=3.0):
        self.held, self.late_s, self.orders = held, late_s, []
        self._s, self._due = 0.0, None

    async def sleep(self, seconds):
        self._s += seconds

    async def media(self):
        if self._due is not None and self._s >= self._due[0]:
            self.held, self._due = self._due[1], None
        return self.held

    async def insert(self, url):
        self._order("insert", url)

    async def eject(self):
        self._order("eject", "")

    def _order(self, what, held):
        self.orders.append(what)
        if self.late_s is not None:
            self._due = (self._s + self.late_s, held)


async def test_an_image_is_in_when_it_is_read_and_out_when_none_is():
    drive = Drive()
    assert await insert(drive, URL, drive) == URL
    assert await insert(drive, URL, drive) == URL
    assert drive.orders == ["insert"], "what is in already is not fetched again"
    assert await eject(drive, drive) == ""
    assert await eject(drive, drive) == ""
    assert drive.orders == ["insert", "eject"]


@pytest.mark.parametrize(("held", "does"), [("", insert), (URL, eject)])
async def test_an_order_that_was_taken_and_changed_nothing_is_a_failure(held, does):
    drive = Drive(held, late_s=None)
    words = (URL,) if does is insert else ()
    with pytest.raises(BmcError, match=f"{READ_S:g} s after the order") as told:
        await does(drive, *words, drive)
    assert told.value.fault is Fault.UNCONFIRMED


async def test_what_somebody_else_put_in_is_not_thrown_out():
    drive = Drive("http://rescue/disk.iso")
    with pytest.raises(BmcError, match=r"holds http://rescue/disk.iso: eject that first"):
        await insert(drive, URL, drive)
    assert drive.orders == []


@pytest.mark.parametrize(
    "url",
    ["", "file:///etc/shadow", "https://user:secret@host/i.iso", "http://host", "http://h/a b",
     f"http://h/{'a' * URL_CHARS_MAX}", "http://h/i.iso#x", "http://h/i.iso\n"],
)  # fmt: skip
async def test_a_url_with_an_account_or_of_another_kind_is_given_to_no_board(url):
    drive = Drive()
    with pytest.raises(BmcError, match="image: an http or https URL") as told:
        await insert(drive, url, drive)
    assert told.value.fault is Fault.CONFIG
    assert "secret" not in str(told.value)
    assert drive.orders == []


async def test_by_ipmi_there_is_no_drive_and_what_to_do_is_said():
    machine = Ipmi(None, None, -1)
    for asked in (machine.media(), machine.insert(URL), machine.eject()):
        with pytest.raises(BmcError, match="boot by network") as told:
            await asked
        assert told.value.fault is Fault.UNSUPPORTED


def test_insert_takes_a_url_and_the_others_take_none():
    for words in (["insert"], ["eject", URL], ["status", URL]):
        with pytest.raises(AgentError, match="insert takes the URL of an image"):
            run(["media", "n1", *words])
