"""Who belongs to a site goes with its document; several go by two operators' word alone."""

import shutil

import pytest
from ca import Pki, unlimited
from release_desk import Holder, Operator, operators_file, uploaded
from tuf.api.metadata import Metadata

from roost_central.ports import SystemClock, SystemEntropy
from roost_central.releases.desk import ReleaseDesk
from roost_central.releases.fault import ReleaseError
from roost_protocol.release.director import SiteDocument

NOW_MS = SystemClock().wall_ms()
DAY_MS = 86_400_000
BARE = SiteDocument(v=1, site="lab", assignments=[])
ALL = {"lab.n1": 1, "lab.n2": 1, "lab.n3": 1}


class Fleet:
    """Who belongs to the one site, and whether it has a WAN."""

    def __init__(self):
        self.members, self.is_offline = dict(ALL), False

    async def of(self, sites):
        return dict.fromkeys(sites, self.members)


@pytest.fixture
def holder(tmp_path):
    made = Holder(tmp_path / "people", NOW_MS)
    made.init()
    return made


@pytest.fixture
def fleet():
    return Fleet()


@pytest.fixture
async def desk(tmp_path, holder, fleet):
    pki = Pki(tmp_path / "pki", unlimited())
    for name in ("image-online.key", "director.key"):
        shutil.copy(holder.online / name, pki.signer_dir / name)
    (pki.signer_dir / "image-root.json").write_bytes(holder.repository.image_root)
    async with pki.serving() as signer:
        made = ReleaseDesk(tmp_path / "releases", signer, SystemClock(), SystemEntropy())
        made.sites.members_of = fleet.of
        made.sites.is_offline = lambda _site: fleet.is_offline
        yield made


@pytest.fixture
async def operators(desk, holder):
    """Two of them, whom the repository names."""
    two = (Operator("olga"), Operator("pia"))
    who = holder.build(
        "operators", component="policy/operators", files={"operators.json": operators_file(*two)}
    )
    uploaded(desk.store, who)
    made = holder.release(who)
    await desk.take_director_root(holder.repository.director_root)
    await desk.publish([holder.repository.image_root], made.targets)
    assert await desk.sites.assign([BARE], []) == [None]
    return two


async def test_two_members_go_once_two_operators_signed_for_those_that_stay(desk, operators, fleet):
    assert desk.sites.document("lab").members == ALL
    olga, pia = operators
    fleet.members = {"lab.n1": 1, "lab.n2": 2}
    [why] = await desk.sites.assign([BARE], [])
    assert why.code == "members"
    assert "lab.n2 is box 2 by now, lab.n3 is dropped" in why.detail
    assert desk.sites.refused("lab") == why
    assert desk.sites.document("lab").members == ALL  # what it was told before counts on
    await desk.words.take_word("lab", olga.signs_for("lab", fleet.members, now_ms=NOW_MS))
    await desk.words.take_word("lab", olga.signs_for("lab", fleet.members, now_ms=NOW_MS + 1))
    assert await desk.words.agreed("lab") == {"olga"}
    why = await desk.sites.tell_members("lab")
    assert "1 of 2 operators" in why.detail
    await desk.words.take_word("lab", pia.signs_for("lab", fleet.members, now_ms=NOW_MS))
    assert await desk.sites.tell_members("lab") is None
    assert desk.sites.refused("lab") is None
    assert desk.sites.document("lab").members == fleet.members


async def test_one_member_goes_by_the_centres_word(desk, operators, fleet):
    fleet.members = {"lab.n1": 1, "lab.n2": 1}
    assert await desk.sites.tell_members("lab") is None
    await desk.sites.renew(NOW_MS + DAY_MS)
    assert desk.sites.document("lab").members == fleet.members


async def test_words_of_others_for_others_or_of_another_time_are_refused(desk, operators, fleet):
    olga, eve = operators[0], Operator("eve")
    fleet.members = {"lab.n1": 1}
    now = fleet.members
    for signed, told in (
        (eve.signs_for("lab", now, now_ms=NOW_MS), "eve is none of the operators"),
        (Operator("olga").signs_for("lab", now, now_ms=NOW_MS), "not signed with the key"),
        (olga.signs_for("lab", ALL, now_ms=NOW_MS), "not for the 1 members"),
        (olga.signs_for("edge", {"edge.n1": 1}, now_ms=NOW_MS), "not for the 1 members"),
        (olga.signs_for("lab", now, now_ms=NOW_MS - 3 * DAY_MS), "does not count now"),
    ):
        with pytest.raises(ReleaseError, match=told):
            await desk.words.take_word("lab", signed)
    assert await desk.words.agreed("lab") == set()


async def test_the_signer_believes_no_words_that_the_centre_kept(desk, operators, fleet):
    olga, eve = operators[0], Operator("eve")
    fleet.members = {"lab.n1": 1}
    now = fleet.members
    desk.store.sites.put_words(
        "lab",
        [
            olga.signs_for("lab", now, now_ms=NOW_MS),
            olga.signs_for("lab", now, now_ms=NOW_MS + 5),  # one person is one
            eve.signs_for("lab", now, now_ms=NOW_MS),
            operators[1].signs_for("lab", ALL, now_ms=NOW_MS),
            operators[1].signs_for("lab", now, now_ms=NOW_MS - 3 * DAY_MS),
        ],
    )
    why = await desk.sites.tell_members("lab")
    assert "1 of 2 operators" in why.detail
    assert await desk.words.agreed("lab") == {"olga"}


async def test_a_stick_for_a_site_without_a_wan_counts_longer_than_what_is_served(
    desk, operators, fleet
):
    def days(text):
        left = Metadata.from_bytes(text.encode()).signed.expires.timestamp() * 1_000 - NOW_MS
        return round(left / DAY_MS)

    def lives(files):
        found = {}
        for path, text in sorted(files.items()):  # of a role the newest version is the last
            role = path.split(".")[-2].rpartition("/")[2]
            if role in {"snapshot", "timestamp"}:
                found[f"{path.partition('/')[0]}/{role}"] = days(text)
        return found

    files, _ = desk.carried("lab")
    assert lives(files) == {
        "image/snapshot": 30, "image/timestamp": 7, "director/snapshot": 7, "director/timestamp": 7,
    }  # fmt: skip
    fleet.is_offline = True
    await desk.sites.tell_members("lab")
    offline, _ = desk.carried("lab")
    assert lives(offline) == {
        "image/snapshot": 180, "image/timestamp": 120,
        "director/snapshot": 30, "director/timestamp": 30,
    }  # fmt: skip
    served = desk.store.folder / "image/metadata"
    assert days((served / "timestamp.json").read_text()) == 7


async def test_a_site_that_was_removed_leaves_no_word(desk, operators, fleet):
    desk.store.sites.put_words("lab", [operators[0].signs_for("lab", ALL, now_ms=NOW_MS)])
    desk.sites.forget("lab")
    assert desk.store.sites.words("lab") == []
    assert desk.sites.document("lab") is None
