"""The incarnation and the lock."""

import pytest

from roost_agent.errors import StateInUseError
from roost_agent.identity import BOOT_ID, StateLock, next_identity


@pytest.fixture
def root(tmp_path):
    file = tmp_path / "root" / BOOT_ID
    file.parent.mkdir(parents=True)
    file.write_text("3f2a6c1e-0000-4000-8000-000000000001\n")
    return tmp_path / "root"


def test_every_start_has_a_higher_incarnation(tmp_path, root):
    starts = [next_identity("lab.n1", tmp_path, root=root) for _ in range(3)]
    assert [each.incarnation for each in starts] == [1, 2, 3]
    assert starts[0].boot_id.hex() == "3f2a6c1e000040008000000000000001"


def test_a_damaged_file_begins_again(tmp_path, root):
    (tmp_path / "incarnation").write_text("nonsense")
    assert next_identity("lab.n1", tmp_path, root=root).incarnation == 1


def test_nothing_is_left_beside_the_file(tmp_path, root):
    next_identity("lab.n1", tmp_path, root=root)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["incarnation", "root"]


def test_where_no_new_file_can_be_made_it_is_written_in_place(tmp_path, root):
    next_identity("lab.n1", tmp_path, root=root)
    (tmp_path / "incarnation.new").mkdir()  # stands in for a disk without a free block
    identity = next_identity("lab.n1", tmp_path, root=root)
    assert (identity.incarnation, identity.fault) == (2, "")
    assert next_identity("lab.n1", tmp_path, root=root).incarnation == 3


def test_a_disk_that_takes_nothing_is_said_and_does_not_stop_the_start(tmp_path, root):
    (tmp_path / "incarnation").mkdir()
    identity = next_identity("lab.n1", tmp_path, root=root)
    assert identity.incarnation == 1
    assert "incarnation" in identity.fault


def test_a_second_agent_on_one_state_directory_is_refused_with_a_sentence(tmp_path):
    first = StateLock(tmp_path / "state")
    with pytest.raises(StateInUseError, match="another roost-agent runs on"):
        StateLock(tmp_path / "state")
    first.close()
    StateLock(tmp_path / "state").close()
