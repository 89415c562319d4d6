"""Groups of settings, and paths as TOML writes them."""

import tomllib

from roost_protocol.profile.field import Field, Group, Keyed, Mark, dotted
from roost_protocol.profile.kinds import Flag

LEAF = Field(Flag(), Mark.LIVE, "A leaf.")


def test_a_group_has_its_names_alone():
    assert Group({"a": LEAF}).part("a") is LEAF
    assert Group({"a": LEAF}).part("b") is None
    assert Group({"a": LEAF, "b": LEAF}).bound == "one of a, b"


def test_a_keyed_group_has_every_key_of_its_form():
    keyed = Keyed(r"node\d", "nodes", LEAF, 4, "node0")
    assert keyed.part("node1") is LEAF
    assert keyed.part("node12") is None
    assert keyed.part("node1\n") is None
    assert keyed.bound == "nodes, at most 4"


def test_a_path_quotes_what_is_no_bare_key():
    assert dotted(("update-window", "start")) == "update-window.start"
    assert dotted(("kernel", "sysctl", "vm.swappiness")) == 'kernel.sysctl."vm.swappiness"'


def test_a_key_with_quotes_is_written_as_toml_reads_it():
    path = ("ports", 'a"b\\c\n\x7f', "é", "x")
    tree = tomllib.loads(f"{dotted(path)} = 1")
    for key in path:
        tree = tree[key]
    assert tree == 1
