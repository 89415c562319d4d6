"""What root lends is asked for once a boot, and a probe that asks for nothing pays nothing."""

import logging
import re
import subprocess
import sys
from contextlib import closing

import pytest

from roost_agent.discovery.reader import Reader
from roost_agent.discovery.root_facts import borrow
from roost_agent.helper.facts import FILES

SERIAL, *_, TABLE = FILES["dmi"]
LIGHT = "import sys, roost_agent.discovery.command; sys.exit('asyncio' in sys.modules)"


@pytest.fixture
def asks(tree, tmp_path_factory, caplog):
    """The facts that a probe asks the helper for, which is not there; ``lend`` leaves a copy."""
    folder = tmp_path_factory.mktemp("lent")
    caplog.set_level(logging.DEBUG)

    def asks(*classes, lend=()):
        caplog.clear()
        for path in lend:
            copy = folder / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(b"")
        with closing(Reader(str(tree.root), str(folder))) as reader:
            borrow(classes, reader, socket=str(folder / "none.sock"))
        return re.findall(r"facts \((\w+)\): .*No such file", caplog.text)

    return asks


def test_what_was_lent_is_not_asked_for_again(tree, asks):
    tree.plant({SERIAL: "SN-4711", TABLE: bytes(4)})
    assert "dmi" in asks()
    assert asks("system", lend=[SERIAL]) == ["dmi"], "one of the two"
    assert asks("system", lend=[TABLE]) == []
    assert "dmi" not in asks()


def test_a_machine_without_such_files_and_a_class_that_reads_none_ask_for_nothing(tree, asks):
    assert asks("system") == []
    tree.plant({SERIAL: "SN-4711"})
    assert asks("cpu") == []
    assert asks("cpu", "system") == ["dmi"]


def test_neighbours_are_listened_for_when_links_are_looked_at_never_when_they_were_heard(asks):
    assert asks() == ["lldp"]
    assert asks("link", "nic") == ["lldp"]
    assert asks("lldp") == [], "its file moved: asking again would never end"


def test_a_probe_loads_what_asks_only_where_it_asks():
    assert subprocess.run([sys.executable, "-c", LIGHT], check=False, timeout=25).returncode == 0
