"""``roost release members`` and ``approve-members``: what is signed is what was shown."""

import json
from base64 import b64decode

import pytest

from roost_central.releases import keys
from roost_protocol.release.members import MEMBERS_DOMAIN, read_members

PASSPHRASE = "six words that nobody wrote down"
FOUND = {
    "site": "lab", "approvals": ["olga"], "needed": 2,
    "refusal": "2 members of lab go within 24 h",
    "members": [
        {"node": "lab.n1", "box": 1, "told": 1}, {"node": "lab.n2", "box": 3, "told": 2},
        {"node": "lab.n3", "box": 0, "told": 1}, {"node": "lab.n4", "box": 1, "told": 0},
    ],
}  # fmt: skip


@pytest.fixture
def approving(centre, tmp_path):
    keys.make(tmp_path, "olga", PASSPHRASE.encode())
    one = "/api/v1/sites/lab/members"
    centre.more |= {one: FOUND, f"{one}/approve": FOUND | {"refusal": ""}}
    key = str(tmp_path / "olga.key")
    return ["release", "approve-members", "lab", "--operator", "olga", "--key", key]


def sent(centre):
    return [json.loads(body) for method, _, _, body, _ in centre.seen if method == "POST"]


@pytest.mark.usefixtures("approving")
def test_who_belongs_what_changes_and_who_signed_is_shown(run):
    code, out, err = run("release", "members", "lab")
    assert code == 0, err
    for told in ("replaces box 2", "goes", "comes", "signed for these members: olga", "refuses: 2"):
        assert told in out


def test_what_is_signed_names_the_members_that_stay_one_by_one(run, centre, approving, tmp_path):
    code, out, err = run(*approving, "--expect", "n1,n2,lab.n4", input=PASSPHRASE + "\n")
    assert code == 0, err
    assert "lab has lab.n1 box 1, lab.n2 box 3, lab.n4 box 1. Changes:" in err
    assert "olga signed for the members of lab (1 of 2: olga); it is told" in out
    [body] = sent(centre)
    raw = b64decode(body["word"])
    said = read_members(raw)
    assert (said.site, said.members) == ("lab", {"lab.n1": 1, "lab.n2": 3, "lab.n4": 1})
    key = keys.open_private(tmp_path / "olga.key", PASSPHRASE.encode())
    assert key.signer.sign(MEMBERS_DOMAIN + raw).signature == b64decode(body["signature"]).hex()


def test_other_members_than_somebody_knows_are_not_signed(run, centre, approving, capsys):
    code, _, _ = run(*approving, "--expect", "n1,n2,n3", input=PASSPHRASE + "\n")
    assert code != 0
    assert "lab has the members lab.n1, lab.n2, lab.n4 now" in capsys.readouterr().err
    assert sent(centre) == []
