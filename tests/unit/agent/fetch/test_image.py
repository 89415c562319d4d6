"""The image that is brought: named by the image repository and by the order, or not at all."""

import json
from pathlib import Path

import pytest
from install_stage import InstallStage

from roost_agent.fetch import image
from roost_agent.fetch.image import NoImageError
from roost_agent.trust import kept
from roost_agent.trust.blobs import BlobError, url_of
from roost_protocol.release.target import target_path

ISO = b"CD001" + bytes(range(256)) * 400


@pytest.fixture
def stage(tmp_path):
    return InstallStage(tmp_path, repository=tmp_path / "repository")


@pytest.fixture
def bring(stage, capsys):
    def brought(release, version="1.0", **more):
        manifest = stage.repository / "image/targets/app/edge" / f"{release}.{version}.json"
        words = {
            "component": "app/edge", "version": version, "digest": release,
            "length": manifest.stat().st_size, "source": stage.repository,
            "state-dir": stage.folder / "agent", "trust-dir": stage.given.trust,
            "into": stage.folder / "into",
        }  # fmt: skip
        argv = [f"--{name}={value}" for name, value in (words | more).items()]
        assert image.run(argv, stage.clock) == 0
        return json.loads(capsys.readouterr().out)

    return brought


def release(stage, files=None, *, kind="iso", version="1.0"):
    return stage.release(version, files or {"edge.iso": ISO}, component="app/edge", kind=kind)


def test_an_image_that_both_name_is_here_whole_and_its_blob_is_gone(stage, bring):
    said = bring(release(stage))
    assert (Path(said["file"]).read_bytes(), said["size"]) == (ISO, len(ISO))
    assert not [each for each in (stage.folder / "into/blobs").rglob("*") if each.is_file()]


def test_another_manifest_than_the_one_that_was_ordered_is_refused(stage, bring):
    made = release(stage)
    with pytest.raises(NoImageError, match="0a0a0a0a0a0a was ordered"):
        bring(made, digest="0a" * 32)
    with pytest.raises(NoImageError, match="was ordered"):
        bring(made, length="12")


def test_what_the_image_repository_names_no_more_is_refused_whatever_was_ordered(stage, bring):
    made = release(stage)
    bring(made)
    del stage.signers.image.delegated["app"].targets[target_path("app/edge", "1.0")]
    stage.signers.publish()
    with pytest.raises(NoImageError, match="the image repository does not name app"):
        bring(made)


@pytest.mark.parametrize(
    ("files", "kind", "told"),
    [
        ({"edge.iso": ISO}, "files", "a release of the kind iso"),
        ({"edge.iso": ISO, "b.iso": ISO}, "iso", "one file that ends in .iso"),
        ({"edge.img": ISO}, "iso", "one file that ends in .iso"),
    ],
)
def test_a_release_that_boots_no_machine_is_refused(stage, bring, files, kind, told):
    with pytest.raises(NoImageError, match=told):
        bring(release(stage, files, kind=kind))


def test_a_blob_that_is_another_is_refused_and_one_that_broke_off_is_gone_on_with(stage, bring):
    made = release(stage)
    [blob] = [each for each in (stage.repository / "blobs").rglob("*") if each.is_file()]
    whole = blob.read_bytes()
    blob.write_bytes(b"x" * len(whole))
    with pytest.raises(BlobError, match="is not"):
        bring(made)
    part = stage.folder / "into" / f"{url_of(blob.name)}.part"
    part.write_bytes(whole[:100])
    blob.write_bytes(b"x" * 100 + whole[100:])
    assert Path(bring(made)["file"]).read_bytes() == ISO


def test_a_node_without_a_root_of_trust_or_with_a_clock_of_before_takes_none(stage, bring):
    made = release(stage)
    kept.save(stage.given.trust, kept.State(node="lab.n1", clock_floor_ms=stage.clock.ms + 1))
    with pytest.raises(NoImageError, match="clock is before"):
        bring(made)
    kept.save(stage.given.trust, kept.State(node="lab.n1"))
    (stage.given.trust / kept.IMAGE_ROOT).unlink()
    with pytest.raises(kept.KeptError, match="no root of trust"):
        bring(made)


def test_a_disk_without_room_is_told_before_anything_is_fetched(stage, bring, monkeypatch):
    monkeypatch.setattr(image, "SPARE_BYTES", 1 << 62)
    with pytest.raises(NoImageError, match="MiB free"):
        bring(release(stage))
    assert not list((stage.folder / "into").rglob("*.part"))
