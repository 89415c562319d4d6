"""An identity in a box that it was not given to: moved aside whole, and nothing else is."""

import msgspec
import pytest

from roost_agent.enrol import anew
from roost_agent.enrolled import ASIDE, FACTS, FOLDER, Facts, load
from roost_agent.errors import StateInUseError
from roost_agent.identity import LOCK, StateLock
from roost_protocol.hardware import Hardware

BOX = Hardware(uuid="4c4c4544-0051", board="CN-0X", disks=("S3Z8",), macs=("52:54:00:12:34:56",))
OTHER = Hardware(uuid="5d5d", board="CN-9", disks=("S9",), macs=("52:54:00:00:00:09",))


@pytest.fixture
def state(tmp_path):
    """The state of a node, whole."""
    folder = tmp_path / FOLDER
    folder.mkdir()
    facts = Facts(
        fleet_domain="edge.example", site="lab", node="n1", generation=1, box=1, hw_fp=BOX,
        brokers=(), enrolled_ms=0, not_after_ms=1, image_root="none", centre="https://x",
    )  # fmt: skip
    (folder / FACTS).write_bytes(msgspec.json.encode(facts))
    for name in ("identity.old", "identity.new", "outbox", "ha"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kept").write_text(name)
    (tmp_path / "incarnation").write_text("7")
    return tmp_path


def checked(state, monkeypatch, hardware):
    joined = []
    monkeypatch.setattr(anew, "this_box", lambda: hardware)
    monkeypatch.setattr(anew, "_join_again", lambda state_dir, _hardware: joined.append(state_dir))
    anew.check(state)
    return joined


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "seen",
    [
        BOX,
        Hardware(disks=BOX.disks, macs=BOX.macs),  # not root: the rest is not to be read
        Hardware(),
        msgspec.structs.replace(BOX, disks=("NEW",), macs=("NEW",)),
    ],
)
def test_a_box_that_is_the_same_or_says_too_little_keeps_its_identity(state, monkeypatch, seen):
    before = names(state)
    assert checked(state, monkeypatch, seen) == []
    assert set(names(state)) == {*before, LOCK}
    assert load(state).facts.node == "n1"


@pytest.mark.parametrize(
    ("seen", "word"), [(BOX, "yes"), (Hardware(disks=BOX.disks, macs=BOX.macs), "blind")]
)
def test_a_box_that_a_copy_would_pass_for_is_told_to_the_agent(state, monkeypatch, seen, word):
    config, became = state / "agent.toml", []
    config.write_text(f'state_dir = "{state}"\n')
    monkeypatch.setattr(anew, "this_box", lambda: seen)
    monkeypatch.setattr(anew.os, "execv", lambda _program, argv: became.append(argv))
    anew.run(["--config", str(config)])
    assert became[0][-2:] == ["--checked", word]


def test_another_box_keeps_nothing_of_it_and_joins_anew(state, monkeypatch):
    before = names(state)
    assert checked(state, monkeypatch, OTHER) == [state]
    assert names(state) == sorted([ASIDE, LOCK])
    assert names(state / ASIDE) == before
    assert load(state) is None


def test_a_box_that_waits_to_be_let_in_goes_on_waiting_at_its_next_start(state, monkeypatch):
    checked(state, monkeypatch, OTHER)
    assert checked(state, monkeypatch, OTHER) == [state]


@pytest.mark.parametrize("fails_at", range(6))
def test_a_crash_in_the_middle_begins_the_same_again(state, monkeypatch, fails_at):
    moves, rename = [], anew.Path.rename

    def torn(path, target):
        if len(moves) == fails_at:
            raise KeyboardInterrupt
        moves.append(path)
        return rename(path, target)

    with monkeypatch.context() as crash:
        crash.setattr(anew.Path, "rename", torn)
        with pytest.raises(KeyboardInterrupt):
            checked(state, crash, OTHER)
    assert load(state) is not None, "the identity goes last"
    assert checked(state, monkeypatch, OTHER) == [state]
    assert names(state) == sorted([ASIDE, LOCK])


def test_while_an_agent_runs_nothing_is_moved(state, monkeypatch):
    lock = StateLock(state)
    with pytest.raises(StateInUseError):
        checked(state, monkeypatch, OTHER)
    lock.close()
