"""What the centre told of board controllers: taken from a seal, kept, and put beside bmc.toml."""

import asyncio
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import replace

from roost_agent import child
from roost_agent.bmc import told
from roost_agent.bmc.board import Board
from roost_agent.bmc.board_file import toml
from roost_agent.bmc.closed import SEALING_KEY
from roost_agent.bmc.ready import ready_boards
from roost_agent.bmc.seat import BoardSeat, NotTakenError
from roost_agent.bmc.take import take
from roost_agent.enrol.keys import private_pem
from roost_agent.enrolled import FOLDER
from roost_agent.errors import ConfigError
from roost_protocol.boards import (
    BoardAccess,
    BoardsDocument,
    BoardTold,
    GroupSettings,
    SensorSettings,
    about,
)
from roost_protocol.codec import encode
from roost_protocol.sealed import seal_for

NODE, SECRET = "lab.n1", "canary-of-the-centre"
ACCESS = BoardAccess(host="10.0.9.12", user="roost", password=SECRET)
LOCAL = Board(node="n2", host="10.0.0.2", user="own", password="own", suppress=["a"],
              groups={"fans": GroupSettings(minor="log")})  # fmt: skip


def said(*boards, reader=""):
    return BoardsDocument(v=1, reader=reader, boards=list(boards))


@pytest.fixture
def key(tmp_path):
    (tmp_path / FOLDER).mkdir()
    key = X25519PrivateKey.generate()
    (tmp_path / FOLDER / SEALING_KEY).write_bytes(private_pem(key))
    return key


def bare(document):
    """What is kept of it in the clear."""
    access = replace(ACCESS, password="")
    return replace(document, boards=[replace(each, access=access) for each in document.boards])


def ready(folder, nodes=("n2", "n3")):
    return ready_boards(str(folder / "none"), folder, nodes).boards


def sealed(key, document, node=NODE):
    public = key.public_key().public_bytes_raw()
    return seal_for(public, encode(document), about(node), once=bytes(range(32)))


def test_what_was_sealed_for_this_node_is_kept_for_nobody_else(key, tmp_path):
    document = said(BoardTold(node="n2", access=ACCESS))
    assert take(tmp_path, NODE, sealed(key, document)) == document
    file = tmp_path / told.FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert told.read(tmp_path) == bare(document)
    assert SECRET not in file.read_text()
    assert ready(tmp_path)["n2"].password == SECRET
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="0600"):
        told.read(tmp_path)


def test_what_is_not_for_it_or_wrong_leaves_what_was_kept(key, tmp_path):
    document = said(BoardTold(node="n2", access=ACCESS))
    take(tmp_path, NODE, sealed(key, document))
    two = said(*(BoardTold(node="n2", access=ACCESS) for _ in range(2)))
    bad = said(BoardTold(node="n3", access=BoardAccess(host="h", user="u", password=f"{SECRET}\n")))
    for body in (
        sealed(X25519PrivateKey.generate(), said()),
        sealed(key, said(), "lab.n2"),
        sealed(key, two),
        sealed(key, bad),
        b"",
        b"\xc1" * 100,
    ):
        with pytest.raises(ConfigError) as why:
            take(tmp_path, NODE, body)
        assert SECRET not in str(why.value)
        assert told.read(tmp_path) == bare(document)


def test_the_nodes_own_file_says_how_it_is_reached_and_the_centre_how_sensors_count():
    settings = SensorSettings(groups={"power": GroupSettings(major="ignore")}, suppress=["b", "a"])
    (one,) = told.merged([LOCAL], said(BoardTold(node="n2", access=ACCESS, sensors=settings)))
    assert (one.host, one.password, one.interval_s) == ("10.0.0.2", "own", 120)
    assert (one.of("fans").minor, one.of("power").major) == ("log", "ignore")
    assert one.suppress == ["a", "b"]
    assert told.merged([], said(BoardTold(node="n2", sensors=settings))) == ()
    (one,) = told.merged([], said(BoardTold(node="n2", access=ACCESS)))
    assert (one.host, one.password) == ("10.0.9.12", SECRET)


@pytest.mark.parametrize(
    ("reader", "has_lease", "nodes"),
    [("n1", False, ["n3"]), ("n9", False, []), ("n9", True, ["n3"]), ("", False, ["n3"])],
)
def test_without_a_lease_one_node_reads_what_the_centre_told(
    key, tmp_path, reader, has_lease, nodes
):
    document = said(BoardTold(node="n3", access=ACCESS), reader=reader)
    take(tmp_path, NODE, sealed(key, document))
    found = told.read_here(str(tmp_path / "none"), tmp_path, "n1", has_lease=has_lease)
    assert [each.node for each in found] == nodes
    (file := tmp_path / "bmc.toml").write_text(toml([LOCAL]))
    file.chmod(0o600)
    found = told.read_here(str(file), tmp_path, "n1", has_lease=has_lease)
    assert [each.node for each in found] == ["n2", *nodes]
    assert not any(each.password for each in found), "who stays in memory has none"
    assert [each.password for each in ready(tmp_path).values()] == [SECRET]


def test_what_was_sealed_for_the_box_before_costs_its_boards_alone_and_is_told(key, tmp_path):
    take(tmp_path, NODE, sealed(key, said(BoardTold(node="n3", access=ACCESS))))
    (tmp_path / FOLDER / SEALING_KEY).write_bytes(private_pem(X25519PrivateKey.generate()))
    (file := tmp_path / "bmc.toml").write_text(toml([LOCAL]))
    file.chmod(0o600)
    found = ready_boards(str(file), tmp_path, ["n2", "n3"])
    assert found.boards == {"n2": LOCAL}
    assert "the centre tells it anew" in found.why_not["n3"]


def test_where_nothing_is_said_by_anybody_it_is_the_file_that_is_missing(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        told.all_boards(str(tmp_path / "bmc.toml"), tmp_path)


class Asking:
    def __init__(self, boards):
        self.boards = boards
        self.ran = asyncio.Event()

    def redefine(self, boards):
        self.boards = boards

    async def run(self):
        self.ran.set()


async def test_the_first_that_is_told_begins_the_asking_and_the_next_changes_it(key, tmp_path):
    made = []
    seat = BoardSeat(
        str(tmp_path / "bmc.toml"), tmp_path, "n1", has_lease=True, make=Asking, made=made.append
    )
    seat.begin()
    assert made == [], "no code for it where nobody names a controller"
    text = await seat.take(NODE, sealed(key, said(BoardTold(node="n2", access=ACCESS))))
    assert text == "board controllers of the centre: n2"
    (asking,) = made
    assert [each.node for each in asking.boards] == ["n2"]
    await seat.run()
    assert asking.ran.is_set()
    assert (await seat.take(NODE, sealed(key, said()))).endswith("none")
    assert made == [asking]
    assert asking.boards == ()
    with pytest.raises(NotTakenError, match="another key"):
        await seat.take(NODE, sealed(X25519PrivateKey.generate(), said()))
    await seat.take(NODE, sealed(key, said(BoardTold(node="n3", access=ACCESS))))
    again = BoardSeat(
        str(tmp_path / "bmc.toml"), tmp_path, "n1", has_lease=True, make=Asking, made=made.append
    )
    again.begin()
    assert [each.node for each in made[-1].boards] == ["n3"], "a restart forgets none"


async def test_the_password_is_in_no_word_of_the_child_that_takes_it(key, tmp_path):
    document = said(BoardTold(node="n2", access=ACCESS))
    words = (sys.executable, "-P", "-m", "roost_agent.bmc.take", str(tmp_path), NODE)
    done = await child.run(words, seconds=30, bytes_max=4096, given=sealed(key, document))
    assert (done.status, done.output) == (0, b"n2\n")
    assert SECRET.encode() not in done.output + done.complaint
