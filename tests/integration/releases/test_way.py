"""The whole way of a release: built, signed by two, published, fetched by a node, judged."""

import asyncio
import json
import os
import shutil
import ssl
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from release_stage import roost

from roost_agent.enrolled import load
from roost_agent.ports import SystemClock as AgentClock
from roost_agent.trust.blobs import url_of
from roost_agent.trust.https import HttpsSource, of_centre
from roost_agent.trust.source import AbsentError, SourceError
from roost_central.ports import SystemClock
from roost_central.releases.site_store import Given
from roost_central.releases.store import ReleaseStore
from roost_central.signer.client import Signer
from roost_central.signer.message import SignDirector
from roost_protocol.release.director import Assignment, SiteDocument
from roost_protocol.release.manifest import decode

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]


def agent(*words, given=b"", fails=False):
    done = subprocess.run(
        [sys.executable, "-m", "roost_agent", *map(str, words)],
        input=given, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert bool(done.returncode) is fails, done.stderr.decode()
    return (done.stderr if fails else done.stdout).decode()


@pytest.fixture
def node(stage, box, tmp_path):
    """A node with roots of trust: that of images by file, that of the director by the centre."""
    site = f"s{os.getpid() % 1000}-{tmp_path.name[-1]}"
    stage.add_site(site, "n1")
    root, trust = stage.desk.folder / "anchors/image-root.json", tmp_path / "trust"
    words = ["--image-root", str(root), "--trust-dir", str(trust)]
    joined = box.join(stage.url, *words, token=stage.token(site))
    assert joined.returncode == 0, joined.stderr
    where = ["--state-dir", box.state_dir, "--trust-dir", trust]
    if os.geteuid():  # it is root's to write, who joins as another does it by hand
        agent("verify", "anchor", "--image-root", root, *where)
    return box, where, f"{site}.n1"


def test_a_release_goes_from_its_holders_to_a_node(stage, node, tmp_path):
    box, where, name = node
    bundle = stage.desk.build("1.0", 1, {"bin/run": b"#!/bin/sh\n", "data": os.urandom(200_000)})
    stage.desk.publish(bundle)
    [listed] = json.loads(roost(stage, "release", "list", "-o", "json"))
    assert (listed["version"], listed["state"]) == ("1.0", "available")
    told = json.loads(agent("verify", "refresh", *where))
    assert told["manifests"] == {}  # a site that was told nothing is told so
    assign(stage, "app/web/1.0.json", name)
    [(path, manifest)] = json.loads(agent("verify", "refresh", *where))["manifests"].items()
    raw = Path(manifest).read_bytes()
    verdict = json.loads(agent("verify", "release", *where, given=raw))
    assert (path, verdict["code"], verdict["digest"]) == (
        "app/web/1.0.json", "", listed["digest"],
    )  # fmt: skip
    by_stick(stage, name.partition(".")[0], where, tmp_path)
    parts(stage, box, name)
    stage.desk.publish(retract="app/web/1.0")
    assert json.loads(agent("verify", "refresh", *where))["manifests"] == {}
    no = agent("verify", "release", "--staged=yes", *where, given=raw, fails=True)
    assert no.startswith("image: the image repository does not name app/web/1.0.json")


def by_stick(stage, site, where, tmp_path):
    """The same for a node that never asks the centre: what is carried there is enough."""
    stick, mirror = tmp_path / "stick", tmp_path / "mirror"
    roost(stage, "release", "export", site, "--to", stick)
    words = [*where, "--mirror", mirror]
    told = json.loads(agent("import", stick, "--clock-ok", *words))
    assert (told["manifests"], told["blobs"]) == (["app/web/1.0.json"], 2)
    raw = next((mirror / "manifests/app/web").iterdir()).read_bytes()
    assert json.loads(agent("verify", "release", *words, given=raw))["code"] == ""
    shutil.rmtree(mirror)
    blob = next(each for each in stick.glob("blobs/*/*"))
    blob.write_bytes(b"another")
    assert "blob" in agent("import", stick, "--clock-ok", *words, fails=True)


def parts(stage, box, name):
    """A file is sent from any byte on, and to nobody without a certificate or in quarantine."""
    known = load(box.state_dir)
    source = of_centre(known, AgentClock())
    [release] = stage.central.get("/api/v1/releases")["items"]
    manifest = stage.central.data_dir / "releases/manifests" / release["digest"]
    blob = max(decode(manifest.read_bytes()).files, key=lambda each: each.blob_size).blob
    whole = b"".join(source.open(url_of(blob)))
    assert sha256(whole).hexdigest() == blob
    assert b"".join(source.open(url_of(blob), 100_000)) == whole[100_000:]
    for path in ("image/metadata/..%2f..%2fgiven.json", f"blobs/00/{'0' * 64}"):
        with pytest.raises(AbsentError):
            next(source.open(path))
    with pytest.raises(SourceError, match="400"):
        next(source.open(url_of(blob), len(whole)))
    stranger = HttpsSource(source._address, bare(known), source._server_name, AgentClock())
    with pytest.raises(SourceError, match="401"):
        next(stranger.open("image/metadata/timestamp.json"))
    roost(stage, "node", "quarantine", name, "--reason", "a test")
    with pytest.raises(SourceError, match="is given nothing"):
        next(source.open("image/metadata/timestamp.json"))
    roost(stage, "node", "release", name, "--reason", "a test")
    source.close()


def bare(known):
    context = ssl.create_default_context(cafile=str(known.folder / "root.pem"))
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def assign(stage, target, node):
    """Have a site told to install a release, as a rollout does."""
    site, now_ms = node.partition(".")[0], SystemClock().wall_ms()
    document = SiteDocument(
        v=1,
        site=site,
        assignments=[
            Assignment(
                rollout="b" * 32, job="a" * 32, target=target, nodes=[node], not_before_ms=0,
                not_after_ms=now_ms + 3_600_000,
            )
        ],
    )  # fmt: skip

    async def asked():
        signer = Signer(stage.pki.socket)
        raw = msgspec.json.encode(document).decode()
        try:
            return await signer.sign_directors([SignDirector(site, raw, after=now_ms)])
        finally:
            await signer.close()

    [signed] = asyncio.run(asked())
    store = ReleaseStore(stage.central.data_dir / "releases")
    given = Given(document, [], signed.version, now_ms)
    store.sites.put_directors([(given, (signed.targets, signed.snapshot, signed.timestamp))])
