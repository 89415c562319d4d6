"""What is the box's stays as it is over a renewal, however an attempt before it ended."""

from roost_agent.enrol.folder import write_files
from roost_agent.enrol.renew import OF_THE_BOX, carry_over
from roost_agent.enrolled import BROKER_CERTIFICATE, NODE_KEY


def folders(tmp_path, names):
    """Return the present folder, with these of the box's files, and an empty fresh one."""
    present, fresh = tmp_path / "identity", tmp_path / "identity.new"
    present.mkdir()
    fresh.mkdir()
    write_files(present, {name: f"the {name}".encode() for name in names})
    return present, fresh


def content(folder):
    return {file.name: file.read_text() for file in folder.iterdir()}


def test_what_a_cut_left_out_is_carried_over_by_the_next_attempt(tmp_path):
    present, fresh = folders(tmp_path, OF_THE_BOX)
    for cut in range(len(OF_THE_BOX)):
        for file in fresh.iterdir():
            file.unlink()
        write_files(fresh, {name: f"the {name}".encode() for name in OF_THE_BOX[:cut]})
        carry_over(present, fresh)
        assert content(fresh) == content(present), f"cut after {cut} files"


def test_what_a_join_left_that_nobody_decided_on_does_not_become_this_nodes(tmp_path):
    names = [name for name in OF_THE_BOX if name != BROKER_CERTIFICATE]
    present, fresh = folders(tmp_path, names)
    write_files(fresh, dict.fromkeys((*OF_THE_BOX, NODE_KEY), b"another"))
    carry_over(present, fresh)
    assert content(fresh) == content(present) | {NODE_KEY: "another"}, "its own key is new anyway"
