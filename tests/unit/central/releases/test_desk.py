"""From a folder of files to what a node would fetch: holders, signer and centre, all real."""

import shutil

import msgspec
import pytest
from ca import Pki, unlimited
from migrated import database_url
from release_desk import Holder, Operator, operators_file, uploaded
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface

from roost_agent.trust.chain import Chain
from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.errors import SignerError
from roost_central.fleet.view import FleetView
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.releases import build, draft, draft_signing, keys
from roost_central.releases.desk import ReleaseDesk
from roost_central.releases.draft import Succession
from roost_central.releases.fault import ReleaseError
from roost_central.releases.watch import ReleaseWatch
from roost_central.signer.client import Signer
from roost_central.signer.message import SignImage
from roost_central.storage.engine import Database
from roost_protocol.release.director import Assignment, SiteDocument
from roost_protocol.severity import Severity

NOW_MS = SystemClock().wall_ms()
DAY_MS = 86_400_000


def document(target, *nodes, rollout="b" * 32):
    given = Assignment(
        rollout=rollout, job="a" * 32, target=target, nodes=list(nodes or ["lab.n1"]),
        not_before_ms=0, not_after_ms=NOW_MS + DAY_MS,
    )  # fmt: skip
    return SiteDocument(v=1, site="lab", assignments=[given])


@pytest.fixture
def pki(tmp_path):
    return Pki(tmp_path / "pki", unlimited())


@pytest.fixture
def holder(tmp_path, pki):
    made = Holder(tmp_path / "desk", NOW_MS)
    made.init()
    for name in ("image-online.key", "director.key"):
        shutil.copy(made.online / name, pki.signer_dir / name)
    (pki.signer_dir / "image-root.json").write_bytes(made.repository.image_root)
    return made


@pytest.fixture
async def desk(tmp_path, pki, holder):
    async with pki.serving() as signer:
        yield ReleaseDesk(tmp_path / "releases", signer, SystemClock(), SystemEntropy())


async def published(desk, holder, *bundles, **more):
    for each in bundles:
        uploaded(desk.store, each)
    made = holder.release(*bundles, **more)
    return await desk.publish([holder.repository.image_root], made.targets)


async def test_what_holders_signed_is_served_with_the_signers_word_above_it(desk, holder):
    [named] = await published(desk, holder, holder.build())
    assert named.path == "app/web/1.0.json"
    [release] = desk.releases()
    assert (release.state, release.missing) == ("available", 0)
    metadata = desk.store.folder / "image/metadata"
    assert (metadata / "1.root.json").exists()
    assert (metadata / "timestamp.json").exists()
    assert desk.find("app/web", "1.0").digest == named.digest


async def test_a_site_is_told_what_enough_operators_agreed_to_and_nothing_else(desk, holder):
    olga, eve = Operator(), Operator("eve")
    who = holder.build(
        "operators", component="policy/operators", files={"operators.json": operators_file(olga)}
    )
    web = holder.build()
    await published(desk, holder, who, web)
    said = document("app/web/1.0.json")
    assert await desk.sites.assign([said], [olga.approves(web.digest, now_ms=NOW_MS)]) == [None]
    assert desk.sites.document("lab") == said
    assert (desk.store.folder / "sites/lab/metadata/timestamp.json").exists()
    for approval, why in (
        (eve.approves(web.digest, now_ms=NOW_MS), "0 of the operators"),  # nobody knows her
        (olga.approves(who.digest, now_ms=NOW_MS), "neither the release"),  # another release
        (olga.approves(web.digest, "c" * 32, now_ms=NOW_MS), "0 of the operators"),  # rollout
        (olga.approves(web.digest, now_ms=NOW_MS - 2 * DAY_MS), "0 of the operators"),  # it ended
        (olga.approves(web.digest, now_ms=NOW_MS, sites={"other": ""}), "not in the list"),
    ):
        [refused] = await desk.sites.assign([said], [approval])
        assert why in refused.detail
    assert await desk.sites.assign([SiteDocument(v=1, site="lab", assignments=[])], []) == [None]


async def test_the_signer_counts_the_sites_that_came_later(desk, holder):
    olga, web = Operator(), holder.build()
    who = holder.build(
        "operators", component="policy/operators", files={"operators.json": operators_file(olga)}
    )
    await published(desk, holder, who, web)
    word = olga.approves(web.digest, now_ms=NOW_MS, sites={"first": ""}, late_max=1)
    lab = document("app/web/1.0.json")
    edge = msgspec.structs.replace(document("app/web/1.0.json", "edge.n1"), site="edge")
    assert await desk.sites.assign([lab], [word]) == [None]
    [why] = await desk.sites.assign([edge], [word])
    assert "1 of 1 sites that may come later did" in why.detail
    assert await desk.sites.assign([lab], [word]) == [None]  # it is counted once


async def test_an_approval_is_checked_by_the_operators_that_are_named_now(desk, holder):
    olga, web = Operator(), holder.build()
    said = olga.approves(web.digest, now_ms=NOW_MS)
    with pytest.raises(ReleaseError, match="none of the operators of policy/operators: nobody"):
        await desk.words.check_approval(said)
    who = holder.build(
        "operators", component="policy/operators", files={"operators.json": operators_file(olga)}
    )
    await published(desk, holder, who, web)
    assert (await desk.words.check_approval(said)).operator == "olga"
    with pytest.raises(ReleaseError, match="not signed with the key"):
        await desk.words.check_approval(Operator().approves(web.digest, now_ms=NOW_MS))


async def test_what_a_role_names_is_served_signed_above_and_taken_by_a_node(tmp_path, pki, holder):
    async with pki.serving() as signer:
        desk = ReleaseDesk(tmp_path / "one", signer, SystemClock(), SystemEntropy())
        await published(desk, holder, holder.build("os", component="os"))
        given = holder.delegate("app", "dora", "emil", "finn")
        await desk.publish([], given.targets, given.delegated)
        web = holder.build()
        uploaded(desk.store, web)
        made = holder.release(web, signers=("dora", "emil"))
        assert made.targets == b""  # the holders of the targets are not asked
        [added] = await desk.publish([], made.targets, made.delegated)
        assert added.path == "app/web/1.0.json"
        said = document("app/web/1.0.json")
        olga = Operator()
        [why] = await desk.sites.assign([said], [olga.approves(web.digest, now_ms=NOW_MS)])
        assert "0 of the operators" in why.detail  # the signer knows it: nobody approved
    async with pki.serving() as signer:  # it was kept: what is older is not signed above
        other = ReleaseDesk(tmp_path / "two", signer, SystemClock(), SystemEntropy())
        for name in ("os", "web"):
            uploaded(other.store, holder.built(name))
        with pytest.raises(SignerError, match="app of version 1; 2 was there before"):
            await other.publish(
                [holder.repository.image_root], holder.repository.targets, given.delegated
            )
    again = ReleaseDesk(tmp_path / "one", signer, SystemClock(), SystemEntropy())
    assert {each.path for each in again.releases() if each.state == "available"} == {
        "os/1.0.json", "app/web/1.0.json",
    }  # fmt: skip
    chain = Chain(
        "image", anchor=holder.repository.image_root, kept=tmp_path / "node",
        fetcher=FromFolder(again.store.folder / "image"), now_ms=NOW_MS,
    )  # fmt: skip
    chain.refresh()
    for path in ("os/1.0.json", "app/web/1.0.json"):
        assert chain.named(path).sha256 == again.store.chains.image.releases[path].digest


class FromFolder(FetcherInterface):
    """Brings a node what a store serves."""

    def __init__(self, folder):
        self._folder = folder

    def _fetch(self, url):
        try:
            yield (self._folder / url).read_bytes()
        except FileNotFoundError as err:
            raise DownloadHTTPError(url, 404) from err


async def test_operators_are_those_of_the_signed_release_whoever_says_otherwise(desk, holder, pki):
    eve = Operator("eve")
    files = {"operators.json": operators_file(Operator())}
    who = holder.build("operators", component="policy/operators", files=files)
    await published(desk, holder, who)
    asked = SignImage(
        targets=holder.repository.targets.decode(),
        operators_manifest=who.raw.decode(),
        operators=operators_file(eve).decode(),
    )
    signer = Signer(pki.socket)
    with pytest.raises(SignerError, match="is another file"):
        await signer.sign_image(asked)
    await signer.close()


async def test_what_was_retracted_is_named_for_no_site_any_more(desk, holder):
    olga, web = Operator(), holder.build()
    who = holder.build(
        "operators", component="policy/operators", files={"operators.json": operators_file(olga)}
    )
    await published(desk, holder, who, web)
    await published(desk, holder, retract=["app/web/1.0.json"])
    said = document("app/web/1.0.json")
    [why] = await desk.sites.assign([said], [olga.approves(web.digest, now_ms=NOW_MS)])
    assert "not named by the image repository" in why.detail
    assert desk.find("app/web", "1.0").state == "retracted"


async def test_one_key_is_not_enough_and_an_older_word_is_not_taken_back(desk, holder):
    old = await published(desk, holder, holder.build())
    first = holder.repository.targets
    with pytest.raises(ReleaseError, match="takes 2 signatures, it has those of ann"):
        holder.release(holder.build("db"), signers=("ann",))
    await published(desk, holder, holder.build("api"))
    with pytest.raises(ReleaseError) as err:
        await desk.publish([], first)
    assert err.value.code == "rollback"
    assert old[0].path in desk.store.chains.image.releases


async def test_the_signer_goes_back_to_nothing_older_also_after_a_restart(tmp_path, pki, holder):
    async with pki.serving() as signer:
        desk = ReleaseDesk(tmp_path / "one", signer, SystemClock(), SystemEntropy())
        await published(desk, holder, holder.build())
        first = holder.repository.targets
        await published(desk, holder, holder.build("api"))
    async with pki.serving() as signer:
        other = ReleaseDesk(tmp_path / "two", signer, SystemClock(), SystemEntropy())
        uploaded(other.store, holder.built("web"))
        with pytest.raises(SignerError, match="was there before"):
            await other.publish([holder.repository.image_root], first)


async def test_of_two_drafts_of_one_moment_the_second_takes_nothing_away(tmp_path, pki, holder):
    async with pki.serving() as signer:
        desk = ReleaseDesk(tmp_path / "one", signer, SystemClock(), SystemEntropy())
        before = holder.repository
        await published(desk, holder, holder.build())
        holder.repository = before
        rival = holder.build("db")
        uploaded(desk.store, rival)
        made = holder.release(rival)
        with pytest.raises(ReleaseError, match="targets of version 2 is there") as err:
            await desk.publish([], made.targets)
        assert err.value.code == "rollback"
        assert list(desk.store.chains.image.releases) == ["app/web/1.0.json"]
        other = ReleaseDesk(tmp_path / "two", signer, SystemClock(), SystemEntropy())
        uploaded(other.store, rival)
        with pytest.raises(SignerError, match="draft it anew"):  # whatever a centre keeps of it
            await other.publish([holder.repository.image_root], made.targets)


async def test_what_is_not_all_here_is_not_served(desk, holder):
    made = holder.build()
    signed = holder.release(made)
    with pytest.raises(ReleaseError, match="was not uploaded: publish with its --bundle"):
        await desk.publish([holder.repository.image_root], signed.targets)
    uploaded(desk.store, made)
    blob = made.manifest.files[0].blob
    (desk.store.folder / f"blobs/{blob[:2]}/{blob}").write_bytes(b"another")
    with pytest.raises(ReleaseError, match="is another file"):
        await desk.publish([holder.repository.image_root], signed.targets)
    assert not desk.is_published


async def test_a_bundle_with_a_secret_is_refused_at_upload(desk, holder, monkeypatch):
    with monkeypatch.context() as careless:
        careless.setattr(build, "check", lambda *_: None)  # its maker looked at nothing
        pem = b"-----BEGIN PRIVATE KEY-----\n" + b"A" * 64
        made = holder.build(files={"etc/key.pem": pem})
    uploaded(desk.store, made)
    signed = holder.release(made)
    with pytest.raises(ReleaseError, match="holds a private key"):
        await desk.publish([holder.repository.image_root], signed.targets)


async def test_a_centre_that_starts_again_serves_and_knows_the_same(tmp_path, desk, holder):
    await published(desk, holder, holder.build())
    await desk.sites.assign([SiteDocument(v=1, site="lab", assignments=[])], [])
    again = ReleaseDesk(tmp_path / "releases", desk._signer, SystemClock(), SystemEntropy())
    assert [each.path for each in again.releases()] == ["app/web/1.0.json"]
    assert again.sites.document("lab") == SiteDocument(v=1, site="lab", assignments=[])


async def test_what_ends_soon_is_asked_for_anew(tmp_path, pki, holder):
    class Later(SystemClock):
        days = 0

        def wall_ms(self):
            return super().wall_ms() + self.days * DAY_MS

    clock = Later()
    async with pki.serving(clock) as signer:
        desk = ReleaseDesk(tmp_path / "releases", signer, clock, SystemEntropy())
        await published(desk, holder, holder.build())
        await desk.sites.assign([SiteDocument(v=1, site="lab", assignments=[])], [])
        version = desk.store.chains.image.version
        await desk._refresh()
        assert desk.store.chains.image.version == version
        clock.days = 2
        await desk._refresh()
        assert desk.store.chains.image.version > version
        assert desk.sites._given["lab"].signed_ms > NOW_MS + DAY_MS


async def test_a_key_that_was_lost_is_followed_by_another(desk, holder):
    await published(desk, holder, holder.build())
    keys.make(holder.folder / "keys", "dan", b"six other words of somebody else")
    others = holder.holders(names=("ann", "bob", "dan"))
    holder.follow(Succession("image", "targets", others))
    again = holder.draft()
    draft.edit(again, holder.repository, NOW_MS)
    with pytest.raises(ReleaseError, match="has no role"):
        draft_signing.sign(again, holder.key("cy"))
    await published(desk, holder, holder.build("api"))


async def test_who_is_to_sign_anew_is_told_by_an_alarm_that_goes_when_it_is_done(
    tmp_path, pki, holder
):
    class Later(SystemClock):
        days = 0

        def wall_ms(self):
            return super().wall_ms() + self.days * DAY_MS

    clock = Later()
    database = await Database.open(database_url(tmp_path), clock=clock)
    book = AlarmBook(shipped(), FleetView(), database, clock)
    async with pki.serving(clock) as signer:
        desk = ReleaseDesk(tmp_path / "releases", signer, clock, SystemEntropy())
        watch = ReleaseWatch(desk, book, clock)

        async def told():
            await watch.look()
            await book.change(list)
            return {row.entity.partition("chain=")[2]: row.severity for row in book.open_alarms()}

        assert await told() == {}
        await published(desk, holder, holder.build())
        assert await told() == {}
        clock.days = 151
        assert await told() == {"targets": Severity.MINOR, "timestamp": Severity.MAJOR}
        await desk._refresh()
        assert await told() == {"targets": Severity.MINOR}
        holder.now_ms = clock.wall_ms()
        await published(desk, holder)
        assert await told() == {}
    await database.close()
