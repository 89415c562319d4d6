"""The keys of the sites: what is read, and what is refused without naming a digit."""

import pytest

from roost_central.errors import ConfigError
from roost_central.witness.keys import read_folder

KEY = "5a" * 32


def written(folder, name, text, mode=0o600):
    file = folder / name
    file.write_text(text)
    file.chmod(mode)


def test_each_site_has_a_file_and_each_of_its_nodes_a_key(tmp_path):
    written(tmp_path, "lab.keys", f'[pairs]\n"c0:witness" = "{KEY}"\n"witness:c1" = "{KEY}"\n')
    written(tmp_path, "README", "no keys")
    assert read_folder(tmp_path) == ({"lab": {"c0": b"Z" * 32, "c1": b"Z" * 32}}, [])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f'[pairs]\n"c0:c1" = "{KEY}"', "c0:c1: must be a node and witness; leave other pairs out"),
        (f'[pairs]\n"witness:witness" = "{KEY}"', "must be a node and witness"),
        ('[pairs]\n"c0:witness" = "5a5a"', "c0:witness: must be 64 hex digits"),
        ('[pairs]\n"c0:witness" = 5', "c0:witness: must be 64 hex digits"),
        ("keys = 1", "must have one table, [pairs]"),
        (f'"c0:witness = "{KEY}"', "not TOML"),
        ("#" * (17 << 10), "longer than"),
    ],
)
def test_a_file_that_is_wrong_is_left_out_and_says_why(tmp_path, text, why):
    written(tmp_path, "lab.keys", text)
    found, (fault,) = read_folder(tmp_path)
    assert (found, why in fault) == ({}, True), fault
    assert KEY not in fault
    assert "5a5a" not in fault


def test_one_that_others_can_read_is_refused(tmp_path):
    written(tmp_path, "lab.keys", f'[pairs]\n"c0:witness" = "{KEY}"', 0o640)
    assert "chmod 600" in read_folder(tmp_path)[1][0]


def test_a_file_of_no_site_s_name_and_no_folder(tmp_path):
    written(tmp_path, "LAB.keys", f'[pairs]\n"c0:witness" = "{KEY}"')
    assert "LAB" in read_folder(tmp_path)[1][0]
    with pytest.raises(ConfigError):
        read_folder(tmp_path / "none")
