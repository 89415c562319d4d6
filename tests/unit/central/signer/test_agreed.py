"""What the signer goes by who has its socket: all that a captured centre can bring."""

import pytest
from release_desk import Operator

from roost_central.releases.fault import ReleaseError
from roost_central.releases.operators import Operators
from roost_central.signer.agreed import Judge, LateSites
from roost_protocol.release.approval import APPROVAL_LIFE_MS_MAX
from roost_protocol.release.director import Assignment
from roost_protocol.release.meant import Shown, Tree, former_leaf, site_leaf

NOW_MS = 1_790_000_000_000
R, NEW, OLD, OLDER = "b" * 32, "1" * 64, "2" * 64, "3" * 64
SITES = {"s1": OLD, "s2": OLD, "s3": OLDER, "s4": ""}
TREE = Tree(SITES)


def assignment(site, rollout=R):
    return Assignment(
        rollout=rollout, job="j" * 32, target="app/web/2.0.json", nodes=[f"{site}.n1"],
        not_before_ms=1, not_after_ms=2,
    )  # fmt: skip


class Signer:
    """Two operators who agreed, and what the centre shows."""

    def __init__(self, folder, sites=SITES, late_max=0, least=1, olga=None):
        self.path = folder / "late.json"
        olga, pia = olga or Operator("olga"), Operator("pia")
        known = Operators({each.name: each.public for each in (olga, pia)})
        said = {"sites": sites, "late_max": late_max, "now_ms": NOW_MS}
        self.words = [each.approves(NEW, R, **said) for each in (olga, pia)]
        self.known, self.least = known, least
        self.late = LateSites(self.path)

    def asked(self, site, digest=NEW, shown=None, words=2, now_ms=NOW_MS):
        """Return whether a site is signed for as one that came later.

        Raises:
            ReleaseError: it is not signed for.
        """
        shown = {} if shown is None else {R: shown}
        agreed = self.known.approved(self.words[:words], now_ms)
        is_late = Judge(agreed, self.least, shown, self.late).check(site, assignment(site), digest)
        self.late.keep(site, [R] if is_late else [], now_ms)
        return is_late


def proof_of(site, former=None):
    former = SITES.get(site, "") if former is None else former
    return Shown(rollout=R, former=former, proof=TREE.proof(site_leaf(site, former)))


def late_with(former):
    return Shown(rollout=R, former=former, proof=TREE.proof(former_leaf(former)))


@pytest.fixture
def signer(tmp_path):
    return Signer(tmp_path)


@pytest.mark.parametrize("site", SITES)
def test_a_site_of_the_list_gets_the_release_or_its_own_former_one(signer, site):
    assert signer.asked(site, shown=proof_of(site)) is False
    former = SITES[site]
    if former:
        assert signer.asked(site, former, proof_of(site)) is False


def test_no_site_is_added_to_what_operators_signed(signer):
    for shown in (None, proof_of("s1"), proof_of("s4"), Shown(rollout=R, proof=[TREE.root])):
        with pytest.raises(ReleaseError, match="s9 is not in the list that operators signed"):
            signer.asked("s9", shown=shown)


def test_a_site_is_not_sent_to_a_release_that_it_never_had(signer):
    for digest, shown in ((OLDER, proof_of("s1")), (OLD, proof_of("s4")), ("4" * 64, None)):
        with pytest.raises(ReleaseError, match="operators"):
            signer.asked("s1", digest, shown)
    with pytest.raises(ReleaseError, match="not in the list"):
        signer.asked("s1", OLDER, proof_of("s1", OLDER))


def test_as_many_sites_come_later_as_operators_allowed_also_after_a_restart(tmp_path):
    signer = Signer(tmp_path, late_max=2)
    assert signer.asked("s8") is True
    assert signer.asked("s9") is True
    signer.late = LateSites(signer.path)
    assert signer.asked("s8", OLD, late_with(OLD)) is True
    with pytest.raises(ReleaseError, match="2 of 2 sites that may come later did"):
        signer.asked("s7")
    with pytest.raises(ReleaseError, match="neither the release"):
        signer.asked("s8", "4" * 64, Shown(rollout=R, former="4" * 64, proof=late_with(OLD).proof))


def test_what_came_later_is_forgotten_when_no_approval_can_count_any_more(tmp_path):
    late = LateSites(tmp_path / "late.json")
    late.keep("s1", [R], NOW_MS)
    late.keep("s2", ["c" * 32], NOW_MS + APPROVAL_LIFE_MS_MAX)
    late.check(R, "s3", 1)
    with pytest.raises(ReleaseError):
        late.check("c" * 32, "s3", 1)


def test_the_policy_and_the_size_say_how_many_must_agree_and_not_the_plan(tmp_path):
    for sites, least, words in ((SITES, 2, 1), (dict.fromkeys(map(str, range(1_001)), ""), 1, 1)):
        signer = Signer(tmp_path, sites, least=least)
        site = next(iter(sites))
        leaf = site_leaf(site, sites[site])
        shown = Shown(rollout=R, former=sites[site], proof=Tree(sites).proof(leaf))
        with pytest.raises(ReleaseError, match=r"1 of the operators .* the signer wants 2"):
            signer.asked(site, shown=shown, words=words)
        assert signer.asked(site, shown=shown) is False


def test_a_word_of_another_rollout_or_time_counts_for_nothing(signer):
    agreed = signer.known.approved(signer.words, NOW_MS)
    judge = Judge(agreed, 1, {"c" * 32: proof_of("s1")}, signer.late)
    with pytest.raises(ReleaseError, match="0 of the operators"):
        judge.check("s1", assignment("s1", "c" * 32), NEW)
    with pytest.raises(ReleaseError, match="0 of the operators"):
        signer.asked("s1", shown=proof_of("s1"), now_ms=NOW_MS + APPROVAL_LIFE_MS_MAX)
