import os
from pathlib import Path

import pytest

from roost_agent.helper.catalogue import FILE_BYTES_MAX, UNITS_MAX, load

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a file away")


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "etc/units.toml"
    file.parent.mkdir(mode=0o755)
    file.write_text('[unit]\npump = "pump.service"\nlog = "log-shipper@eu.service"\n')
    file.chmod(0o644)
    return file


def refused(file):
    found = load(str(file))
    assert found.units == {}
    return found.why_not


def test_a_file_that_root_alone_can_write_is_believed(file):
    assert load(str(file)).units == {"pump": "pump.service", "log": "log-shipper@eu.service"}
    assert load(str(file)).why_not == ""


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_file_that_others_may_write_is_not(file, mode):
    file.chmod(mode)
    assert "others may write to it" in refused(file)


def test_nor_one_in_a_folder_that_others_may_write(file):
    file.parent.chmod(0o777)
    assert "etc: others may write to it" in refused(file)
    file.parent.chmod(0o1777)  # sticky: what root put there stays root's
    assert load(str(file)).units


@needs_root
def test_nor_one_that_belongs_to_somebody_else(file):
    os.chown(file, 65534, -1)
    assert "belongs to user 65534" in refused(file)
    os.chown(file, 0, -1)
    os.chown(file.parent, 65534, -1)
    assert "etc: belongs to user 65534" in refused(file)


def test_no_link_is_followed_on_the_way(file):
    link = file.parent / "link.toml"
    link.symlink_to(file)
    assert refused(link)
    way = file.parents[1] / "way"
    way.symlink_to(file.parent)
    assert refused(way / file.name)


def test_what_is_no_file_hangs_nobody(file):
    fifo = file.parent / "fifo"
    os.mkfifo(fifo, 0o600)
    assert "no regular file" in refused(fifo)
    assert "not there" in refused(file.parent / "none")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[unit", "Expected"),
        ("[units]\n", "units: unknown"),
        ("unit = 1\n", "bound 256"),
        ('[unit]\n"../x" = "a.service"\n', "unit.../x: bound"),
        ("[unit]\na = 1\n", "unit.a: bound"),
        ('[unit]\na = "a.timer"\n', "unit.a: bound"),
        ('[unit]\na = "--force.service"\n', "unit.a: bound"),
        ('[unit]\na = "/etc/a.service"\n', "unit.a: bound"),
        ('[unit]\na = "roost-agent.service"\n', "roost's own"),
        ("x = " + "[" * 5_000, ""),
    ],
)
def test_a_line_that_is_wrong_is_named_and_nothing_is_allowed(file, text, says):
    file.write_text(text)
    assert says in refused(file)


def test_a_catalogue_is_bounded(file):
    many = "".join(f'u{each} = "u.service"\n' for each in range(UNITS_MAX + 1))
    file.write_text(f"[unit]\n{many}")
    assert "bound 256" in refused(file)
    Path(file).write_text("#" * (FILE_BYTES_MAX + 1))
    assert "bound 65536 bytes" in refused(file)
