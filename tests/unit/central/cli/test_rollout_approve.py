"""``roost rollout approve``: what is signed is what was reviewed, with its sites one by one."""

import json
from base64 import b64decode

import pytest

from roost_central.releases import keys
from roost_central.rollout.plan_file import plan_digest, texts_digest
from roost_protocol.release.approval import APPROVAL_DOMAIN, read_approval
from roost_protocol.release.meant import Tree

ID, NEW, OLD = "b" * 32, "1" * 64, "0" * 64
PASSPHRASE = "six words that nobody wrote down"
ONE = f"/api/v1/rollouts/{ID}"


def job(site, *, is_late=False):
    return {"site": site, "former": "1.0", "former_digest": OLD, "is_late": is_late}


@pytest.fixture
def review(centre, tmp_path):
    """The words of the command, for a plan and a key that are there."""
    plan = tmp_path / "plan.toml"
    plan.write_text("name = 'x'\n")
    keys.make(tmp_path, "olga", PASSPHRASE.encode())
    found = {
        "id": ID, "kind": "release",
        "component": "app/web", "version": "2.0", "digest": NEW, "state": "scheduled",
        "late_max": 3, "plan_digest": plan_digest(plan.read_bytes()),
    }  # fmt: skip
    jobs = {"items": [job("s1"), job("s2"), job("s9", is_late=True)], "next": None}
    centre.more |= {ONE: found, f"{ONE}/jobs": jobs, f"{ONE}/approve": found}
    return [
        "rollout", "approve", ID, "--plan", str(plan), "--operator", "olga",
        "--key", str(tmp_path / "olga.key"),
    ]  # fmt: skip


def sent(centre):
    return [json.loads(body) for method, _, _, body, _ in centre.seen if method == "POST"]


def test_what_is_signed_names_release_plan_and_sites(run, centre, review, tmp_path):
    code, out, err = run(*review, "--expect", "2", input=PASSPHRASE + "\n")
    assert code == 0, err
    assert "olga approved app/web 2.0" in out
    assert "app/web 2.0 for 2 sites: 2 from 1.0. 3 sites may come later." in err
    [body] = sent(centre)
    raw = b64decode(body["approval"])
    said = read_approval(raw)
    tree = Tree({"s1": OLD, "s2": OLD})  # s9 came later: nobody reviewed it
    assert (said.digest, said.sites, said.count, said.late_max) == (NEW, tree.root, 2, 3)
    key = keys.open_private(tmp_path / "olga.key", PASSPHRASE.encode())
    assert key.signer.sign(APPROVAL_DOMAIN + raw).signature == b64decode(body["signature"]).hex()


def test_other_sites_than_were_reviewed_are_not_signed(run, centre, review, tmp_path):
    reviewed = tmp_path / "sites"
    reviewed.write_text("s1\ns3\n")
    for more, why in (
        (["--expect", "3"], "is for 2 sites, not 3"),
        (["--sites", str(reviewed)], "has s2, which"),
    ):
        code, _, _ = run(*review, *more, input=PASSPHRASE + "\n")
        assert code != 0, why
    (tmp_path / "plan.toml").write_text("name = 'y'\n")
    assert run(*review, input=PASSPHRASE + "\n")[0] != 0
    assert sent(centre) == []


def test_profiles_are_signed_only_as_they_lie_beside_the_plan(
    run, centre, review, tmp_path, capsys
):
    plan, profile = tmp_path / "plan.toml", tmp_path / "ntp.toml"
    plan.write_text("name = 'x'\nprofiles = ['ntp.toml']\nremove = ['old']\n")
    profile.write_text("[profile]\n")
    digest = texts_digest([("ntp.toml", "[profile]\n")], ["old"])
    centre.more[ONE] |= {
        "kind": "profile", "digest": digest, "plan_digest": plan_digest(plan.read_bytes()),
    }  # fmt: skip
    assert run(*review, input=PASSPHRASE + "\n")[0] == 0
    profile.write_text("[profile]\n# another one\n")
    before = len(sent(centre))
    assert run(*review, input=PASSPHRASE + "\n")[0] != 0
    assert "other profiles than those beside" in capsys.readouterr().err
    assert len(sent(centre)) == before


def test_without_a_terminal_it_says_how_the_passphrase_is_given(run, review, capsys):
    assert int(run(*review, input="")[0]) == 2
    err = capsys.readouterr().err
    assert "is asked for on a terminal, and there is none: say --passphrase-fd N" in err
