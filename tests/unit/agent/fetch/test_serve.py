"""A member of a site lends what it fetched: real TLS, real certificates of the LAN's CA."""

import json
import os
import ssl
import threading

import pytest
from install_stage import InstallStage
from lan_boxes import Fleet
from loopback_ports import free_port

from roost_agent.enrolled import BROKER_CERTIFICATE, BROKER_KEY, LAN_CA
from roost_agent.fetch import command
from roost_agent.fetch.serve import Lender
from roost_agent.ha.lan import lan_of
from roost_agent.ports import SystemClock
from roost_agent.trust.https import HttpsSource
from roost_agent.trust.source import AbsentError, SourceError

CONTENT = {"a": b"1" * 4_000, "b": os.urandom(400_000)}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    return Fleet(tmp_path_factory.mktemp("fleet"))


@pytest.fixture
def site(fleet, tmp_path):
    """What lends on n1: a mirror with a release, and who may ask."""
    stage = InstallStage(tmp_path, repository=tmp_path / "repository")
    stage.mirror = tmp_path / "n1/updates/mirror"
    known = {node: fleet.enrol(tmp_path / node, "edge", node) for node in ("n1", "n2", "n3")}
    stage.release_digest = stage.release("1.0", CONTENT)
    folder = known["n1"].folder
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(folder / LAN_CA)
    context.load_cert_chain(folder / BROKER_CERTIFICATE, folder / BROKER_KEY)
    member = lan_of(known["n2"]).user("n2", 1)
    stage.port = free_port()
    server = Lender(("127.0.0.1", stage.port), context, {member}, stage.mirror)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield stage
    server.shutdown()
    thread.join()
    server.server_close()


def source(site, node):
    from roost_agent.enrolled import load  # noqa: PLC0415 - of this alone

    lan = lan_of(load(site.folder / node))
    context = lan.context("n1")
    return HttpsSource(("127.0.0.1", site.port), context, context.server_name, SystemClock())


def fetch(site, node, capsys, **more):
    words = {
        "component": "app/demo", "version": "1.0", "digest": site.release_digest,
        "source": str(site.repository), "state-dir": str(site.folder / node),
        "trust-dir": str(site.given.trust), "root": str(site.given.root),
    }  # fmt: skip
    told = (words | more).items()
    assert command.run([f"--{name}={value}" for name, value in told], site.clock) == 0
    return json.loads(capsys.readouterr().out)["bytes"]


def test_a_neighbour_has_it_so_that_nothing_comes_from_afar_a_second_time(site, capsys):
    assert fetch(site, "n1", capsys) > 400_000
    near = f"n1@127.0.0.1:{site.port}"
    assert fetch(site, "n2", capsys, lan=near) == 0
    blobs = site.folder / "n2/updates/mirror/blobs"
    assert sum(each.is_file() for each in blobs.rglob("*")) == 2


def test_who_is_no_member_or_lies_is_left_for_the_one_that_is_far(site, capsys):
    fetch(site, "n1", capsys)
    near = f"n1@127.0.0.1:{site.port}"
    assert fetch(site, "n3", capsys, lan=near) > 400_000  # n3 is no member, as far as n1 knows
    for blob in (site.mirror / "blobs").rglob("*"):
        if blob.is_file():
            blob.write_bytes(os.urandom(blob.stat().st_size))
    assert fetch(site, "n2", capsys, lan=near) > 400_000


def test_only_whole_blobs_are_lent_from_any_offset_on(site, capsys):
    fetch(site, "n1", capsys)
    blob = max(
        (each for each in (site.mirror / "blobs").rglob("*") if each.is_file()),
        key=lambda each: each.stat().st_size,
    )
    path = f"blobs/{blob.name[:2]}/{blob.name}"
    near = source(site, "n2")
    assert b"".join(near.open(path, 100)) == blob.read_bytes()[100:]
    for other in ("manifests/app/demo/1.0.json", f"{path}.part", "blobs/../../identity/key"):
        with pytest.raises(AbsentError):
            next(near.open(other))
    near.close()
    with pytest.raises(SourceError):
        next(source(site, "n3").open(path))
