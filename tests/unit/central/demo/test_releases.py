"""The demo's releases: real keys, signatures and bundles, and nothing that others could read."""

import subprocess
import sys

import pytest

from roost_central.demo import releases, sensor
from roost_central.releases import bundle, draft_signing, keys
from roost_central.signer.release_keys import files_of


@pytest.fixture(scope="module")
def its(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return releases.made(folder / "releases", folder / "signer")


def test_both_releases_are_named_and_signed_by_enough(its):
    named = draft_signing.whole(its.folder / "sensor")
    assert named.image_root == b""
    (change,) = draft_signing.changes(its.folder / "sensor")
    assert {each.path for each in change.added} == {
        "app/sensor/2.1.0.json", "app/sensor/2.2.0.json",
    }  # fmt: skip
    assert change.needed == len(change.signers) == 2
    for each in map(bundle.read, its.bundles):
        bundle.check(each.manifest, each.open)
        assert (each.manifest.component, each.manifest.installer) == ("app/sensor", "files")


def test_the_signer_has_its_keys_and_the_root_that_nodes_get(its):
    signer = its.folder.parent / "signer"
    files = files_of(signer)
    assert files.image_root.read_bytes() == its.image_root.read_bytes()
    assert draft_signing.whole(its.folder / "first").director_root == its.director_root.read_bytes()


def test_no_key_and_no_passphrase_can_be_read_by_others(its):
    secrets = [*its.folder.parent.rglob("*.key"), its.folder / "passphrase"]
    assert len(secrets) == 6
    assert {path.stat().st_mode & 0o077 for path in secrets} == {0}
    passphrase = (its.folder / "passphrase").read_bytes().strip()
    for name in releases.HOLDERS:
        assert keys.open_private(its.folder / f"keys/{name}.key", passphrase).name == name
    command = its.publications("http://127.0.0.1:1", its.folder / "token")[1]
    assert passphrase.decode() not in " ".join([*command.argv, *command.env.values()])


def test_no_two_demos_share_a_key(its, tmp_path):
    other = releases.made(tmp_path / "releases", tmp_path / "signer")
    assert other.image_root.read_bytes() != its.image_root.read_bytes()
    assert (other.folder / "passphrase").read_bytes() != (its.folder / "passphrase").read_bytes()


def test_a_kept_folder_keeps_its_releases(its):
    before = its.image_root.read_bytes()
    signer = its.folder.parent / "signer"
    assert releases.made(its.folder, signer).image_root.read_bytes() == before


def test_the_good_program_measures_and_the_bad_one_ends_at_once(tmp_path):
    for version, is_good in ((sensor.GOOD, True), (sensor.BAD, False)):
        (tmp_path / version).symlink_to(sensor.sources(tmp_path / "src")[version])
        reading = tmp_path / "reading"
        program = subprocess.Popen(
            [sys.executable, "-S", "bin/sensor", tmp_path / version, reading, "self"],
            cwd=tmp_path / version, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        if is_good:
            while not reading.exists():
                assert program.poll() is None
            assert reading.read_text().startswith("sensor 2.1.0 reads ")
            program.kill()
        else:
            assert "sensor 2.2.0: etc/calibration.csv has no rows" in program.communicate()[1]
            assert program.returncode == 1
        program.wait(20)
        program.stderr.close()
