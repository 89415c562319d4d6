"""No centre lets more than one member of a site go within a day by itself."""

import pytest

from roost_central.releases.fault import ReleaseError
from roost_central.signer.members import WITHIN_MS, SiteMembers

NOW_MS = 1_790_000_000_000
ALL = {"lab.n1": 1, "lab.n2": 1, "lab.n3": 1}
TWO = ("olga", "pia")


class Signer:
    """Signs documents that list members, and may be started again."""

    def __init__(self, folder):
        self.path = folder / "members.db"
        self.now_ms = NOW_MS
        self.start()

    def start(self):
        self.known = SiteMembers(self.path)

    def sign(self, members, agreed=(), hours=0):
        self.now_ms += hours * 3_600_000
        said = self.known.after("lab", members, agreed, self.now_ms)
        self.known.keep("lab", said)


@pytest.fixture
def signer(tmp_path):
    made = Signer(tmp_path)
    made.sign(ALL)
    return made


def without(*nodes, **replaced):
    kept = {node: box for node, box in ALL.items() if node not in nodes}
    return kept | {f"lab.{node}": box for node, box in replaced.items()}


@pytest.mark.parametrize(
    "members",
    [
        {}, without("lab.n1", "lab.n2"), without("lab.n1", n2=2), without(n1=2, n2=2),
        {"lab.n9": 1},
    ],
)  # fmt: skip
@pytest.mark.parametrize("agreed", [(), ("olga",)])
def test_several_at_once_go_by_two_operators_alone(signer, members, agreed):
    with pytest.raises(ReleaseError, match=r"go within 24 h .*approve-members lab"):
        signer.sign(members, agreed)
    signer.sign(ALL)  # what was refused is not kept
    signer.sign(members, TWO)
    signer.sign(members)  # the same once more needs nobody


def test_one_goes_or_is_replaced_and_the_next_a_day_later(signer):
    signer.sign(without("lab.n1"))
    for members in (without("lab.n1", "lab.n2"), without("lab.n1", n2=2)):
        with pytest.raises(ReleaseError, match="2 members of lab go"):
            signer.sign(members, hours=1)
    signer.start()  # a restart forgets nothing
    with pytest.raises(ReleaseError):
        signer.sign(without("lab.n1", "lab.n2"))
    signer.sign(without("lab.n1", n2=2), hours=WITHIN_MS // 3_600_000)


def test_one_that_goes_comes_back_and_goes_again_is_one(signer):
    signer.sign(without(n1=2))
    signer.sign(without(n1=3), hours=1)
    signer.sign(ALL | {"lab.n1": 3, "lab.n4": 1}, hours=1)  # who comes is nobody's loss
    with pytest.raises(ReleaseError, match=r"lab\.n1 is box 3 by now, lab\.n2 is dropped"):
        signer.sign(without("lab.n2", n1=3, n4=1), hours=1)


def test_what_operators_let_go_counts_for_the_day_as_well(signer):
    signer.sign(without("lab.n1", "lab.n2"), TWO)
    with pytest.raises(ReleaseError, match="3 members of lab go"):
        signer.sign({}, hours=2)
    signer.sign({}, hours=24)


def test_a_lab_without_operators_asks_nobody(signer):
    signer.sign({}, None)


def test_a_file_that_is_none_is_told(tmp_path):
    (tmp_path / "members.db").write_bytes(b"no database" * 99)
    with pytest.raises(OSError, match="not a database"):
        SiteMembers(tmp_path / "members.db")
