"""Releases over HTTP: uploads, publication, and who may; real holders and a real signer."""

import json
import shutil
from base64 import b64encode
from dataclasses import replace
from types import SimpleNamespace

import pytest
from aiohttp import ClientSession, DummyCookieJar
from ca import Pki, unlimited
from release_desk import Holder, Operator, operators_file

from roost_central.access.core import Grant
from roost_central.api.listener import listening
from roost_central.api.routes import ROUTES
from roost_central.api.server import application
from roost_central.ports import SystemClock
from roost_central.releases.bundle import blob_path, blobs_of
from roost_central.releases.desk import ReleaseDesk
from roost_central.storage import audit


@pytest.fixture
def clock(clock):
    clock.now_ms = SystemClock().wall_ms()  # as the signer has it
    return clock


@pytest.fixture
def holder(tmp_path, clock):
    made = Holder(tmp_path / "people", clock.wall_ms())
    made.init()
    return made


@pytest.fixture
async def served(tmp_path, central, clock, holder):
    """The API with a desk of releases."""
    pki = Pki(tmp_path / "pki", unlimited())
    for name in ("image-online.key", "director.key"):
        shutil.copy(holder.online / name, pki.signer_dir / name)
    (pki.signer_dir / "image-root.json").write_bytes(holder.repository.image_root)
    async with pki.serving() as signer:
        desk = ReleaseDesk(tmp_path / "releases", signer, clock, central.api.entropy)
        api = replace(central.api, releases=desk)
        async with (
            listening(application(api, ROUTES), "127.0.0.1", 0) as port,
            ClientSession(f"http://127.0.0.1:{port}", cookie_jar=DummyCookieJar()) as client,
        ):

            async def ask(method, path, body=None, who=None):
                headers = who or central.bearer
                if isinstance(body, dict):
                    body, headers = (
                        json.dumps(body).encode(), headers | {"Content-Type": "application/json"},
                    )  # fmt: skip
                async with client.request(
                    method, f"/api/v1{path}", data=body, headers=headers
                ) as answer:
                    raw = await answer.read()
                    is_json = answer.content_type.endswith("json")
                    return answer.status, json.loads(raw) if is_json else raw

            yield SimpleNamespace(ask=ask, desk=desk)


async def uploaded(served, bundle):
    status, told = await served.ask("PUT", f"/manifests/{bundle.digest}", bundle.raw)
    assert status == 200, told
    for blob in told["missing"]:
        raw = (bundle.folder / blob_path(blob)).read_bytes()
        assert (await served.ask("PUT", f"/blobs/{blob}", raw))[0] == 204
    return told["missing"]


def body_of(holder, made):
    return {
        "image_roots": [holder.repository.image_root.decode()],
        "director_roots": [holder.repository.director_root.decode()],
        "targets": made.targets.decode(),
    }


async def test_a_bundle_is_uploaded_once_published_and_shown(served, holder, central):
    bundle = holder.build()
    assert set(await uploaded(served, bundle)) == set(blobs_of(bundle.manifest))
    assert await uploaded(served, bundle) == []
    _, page = await served.ask("GET", "/releases")
    assert [each["state"] for each in page["items"]] == ["uploading"]
    status, told = await served.ask("POST", "/repository", body_of(holder, holder.release(bundle)))
    assert (status, told["added"]) == (200, ["app/web/1.0.json"]), told
    for name in (bundle.digest, "app~web~1.0"):
        _, shown = await served.ask("GET", f"/releases/{name}")
        assert (shown["state"], shown["digest"], shown["hops"]) == ("available", bundle.digest, [])
    _, found = await served.ask("GET", "/repository")
    assert found["targets"] == holder.repository.targets.decode()
    async with central.database.read() as connection:
        rows = await audit.after(connection, 0, 50)
    acts = [each.act.action for each in rows]
    assert acts.count("release.publish") == 1
    assert acts.count("release.upload") == 2


async def test_a_later_release_says_whence_it_comes_and_what_that_costs(served, holder):
    first = holder.build(files={"lib": bytes(range(256)) * 400, "x": b"1"})
    await uploaded(served, first)
    await served.ask("POST", "/repository", body_of(holder, holder.release(first)))
    files = {"lib": bytes(range(256)) * 400, "x": b"2"}
    second = holder.build(
        version="2.0", counter=2, files=files, previous=[first], is_barrier=True
    )  # fmt: skip
    third = holder.build(version="3.0", counter=3, files=files, previous=[second])
    for each in (second, third):
        await uploaded(served, each)
    await served.ask("POST", "/repository", body_of(holder, holder.release(second, third)))
    _, shown = await served.ask("GET", "/releases/app~web~3.0")
    by_one, by_two = shown["hops"]
    assert by_one["why"] == "2.0 comes first: it is a barrier"
    assert (by_two["why"], by_two["wan_bytes"]) == ("", 0)
    _, shown = await served.ask("GET", "/releases/app~web~2.0")
    assert 0 < shown["hops"][0]["wan_bytes"] < 50 < shown["bytes_full"]


async def test_what_is_not_what_its_address_says_is_not_kept(served, holder):
    bundle = holder.build()
    assert (await served.ask("PUT", f"/manifests/{'0' * 64}", bundle.raw))[0] == 422
    assert (await served.ask("PUT", f"/blobs/{'0' * 64}", b"another"))[0] == 422
    assert (await served.ask("PUT", "/blobs/..%2f..%2fetc", b"x"))[0] == 400
    assert (await served.ask("GET", f"/blobs/{'0' * 64}"))[0] == 404
    assert not list((served.desk.store.folder / "blobs").rglob("*"))
    assert not list((served.desk.store.folder / "incoming").iterdir())


async def test_what_too_few_signed_or_a_part_is_missing_of_is_refused(served, holder):
    bundle = holder.build()
    signed = holder.release(bundle)
    status, told = await served.ask("POST", "/repository", body_of(holder, signed))
    assert (status, told["errors"][0]["code"]) == (422, "blob")
    await uploaded(served, bundle)
    body = body_of(holder, signed)
    targets = json.loads(body["targets"])
    targets["signatures"].pop()
    body["targets"] = json.dumps(targets)
    status, told = await served.ask("POST", "/repository", body)
    assert (status, told["errors"][0]["code"]) == (422, "signature")
    assert (await served.ask("POST", "/repository", {"targets": "{}"}))[0] == 422
    assert not served.desk.is_published


async def test_who_may_only_look_uploads_and_publishes_nothing(served, holder, person):
    who = await person("viewer", Grant("viewer"))
    regional = await person("regional", Grant("release", "region:r01"))
    bundle = holder.build()
    for each in (who, regional):
        for method, path in (
            ("PUT", f"/manifests/{bundle.digest}"),
            ("PUT", f"/blobs/{'0' * 64}"),
            ("POST", "/repository"),
        ):
            assert (await served.ask(method, path, bundle.raw, who=each))[0] == 403, path
        assert (await served.ask("GET", "/releases", who=each))[0] == 200


async def test_two_operators_let_two_members_of_a_site_go(served, holder, central):
    olga, pia = Operator("olga"), Operator("pia")
    who = holder.build(
        "operators",
        component="policy/operators",
        files={"operators.json": operators_file(olga, pia)},
    )
    await uploaded(served, who)
    assert (await served.ask("POST", "/repository", body_of(holder, holder.release(who))))[0] == 200
    now = {"alpha.n1": 1, "alpha.n2": 1}

    async def of(_sites):
        return {"alpha": now}

    served.desk.sites.members_of = of
    assert await served.desk.sites.tell_members("alpha") is None
    now = {"alpha.n1": 2}
    assert await served.desk.sites.tell_members("alpha") is not None
    _, shown = await served.ask("GET", "/sites/alpha/members")
    assert shown["members"] == [
        {"node": "alpha.n1", "box": 2, "told": 1}, {"node": "alpha.n2", "box": 0, "told": 1},
    ]  # fmt: skip
    assert (shown["approvals"], shown["needed"]) == ([], 2)
    assert "roost release approve-members alpha" in shown["refusal"]

    def body(operator):
        signed = operator.signs_for("alpha", now, now_ms=central.api.clock.wall_ms())
        return {
            "word": b64encode(signed.word).decode(),
            "signature": b64encode(signed.signature).decode(),
        }

    approve = "/sites/alpha/members/approve"
    _, shown = await served.ask("POST", approve, body(olga))
    assert (shown["approvals"], "1 of 2" in shown["refusal"]) == (["olga"], True)
    _, shown = await served.ask("POST", approve, body(pia))
    assert (shown["approvals"], shown["refusal"]) == (["olga", "pia"], "")
    assert served.desk.sites.document("alpha").members == now
    for bad, status in (
        (body(Operator("eve")), 422), (body(olga) | {"word": "%"}, 422),
        (body(olga) | {"signature": "AA=="}, 422),
    ):  # fmt: skip
        assert (await served.ask("POST", approve, bad))[0] == status
    assert (await served.ask("GET", "/sites/nowhere/members"))[0] == 404
    async with central.database.read() as connection:
        rows = await audit.after(connection, 0, 50)
    done = [each.act for each in rows if each.act.action == "members.approve"]
    assert [act.detail.get("operator") for act in done][:2] == ["olga", "pia"]
