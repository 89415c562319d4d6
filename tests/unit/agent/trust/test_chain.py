"""A real repository whose parts end or are taken away, one after the other."""

import pytest
from releases import custom
from tuf_stage import DAY_MS, NOW_MS, Stage, moment

from roost_agent.trust.chain import Chain, ChainError
from roost_agent.trust.folder import FolderFetcher
from roost_agent.trust.release import this_box


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path / "mirror")
    made.sign_release(custom())
    return made


@pytest.fixture
def refused(stage, tmp_path):
    """Refresh and look for a release at a time; return the refusal."""

    def asked(days=0):
        chain = Chain(
            "image", anchor=stage.image.anchor, kept=tmp_path / "kept",
            fetcher=FolderFetcher(stage.mirror / "image"), now_ms=NOW_MS + days * DAY_MS,
        )  # fmt: skip
        try:
            chain.refresh()
            chain.named("app/web/2.0.json")
        except ChainError as err:
            return err
        pytest.fail("it was believed")

    return asked


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets", "app"])
def test_each_role_that_has_ended_is_told_with_its_own_end(stage, refused, role):
    image = stage.image
    for each in (image.root, image.timestamp, image.snapshot, image.targets):
        each.expires = moment(NOW_MS + 90 * DAY_MS)
    image.delegated["app"].expires = moment(NOW_MS + 90 * DAY_MS)
    ends = moment(NOW_MS + 3 * DAY_MS)
    if role == "root":
        image.publish()
        image.root.expires = ends
        image.rotate()
    else:
        (image.delegated.get(role) or getattr(image, role)).expires = ends
    image.publish()
    err = refused(days=5)
    assert err.code == "expired"
    assert role in str(err)
    assert f"ended on {ends:%Y-%m-%d %H:%M} UTC, 2 days ago" in str(err)


def test_what_is_missing_is_told_by_its_file(stage, refused):
    stage.publish()
    (stage.mirror / "image/metadata/timestamp.json").unlink()
    err = refused()
    assert err.code == "absent"
    assert str(err) == "the image repository has no metadata/timestamp.json"


def test_a_damaged_file_and_a_missing_signature_are_told(stage, refused):
    stage.publish(image={"app": stage.apps[:1]})
    err = refused()
    assert (err.code, str(err).partition(": ")[2]) == (
        "signature", "1 of its holders signed the releases of app, and 2 must",
    )  # fmt: skip
    (stage.mirror / "image/metadata/timestamp.json").write_bytes(b"{")
    assert refused().code == "metadata"


def test_a_box_is_of_the_model_that_its_firmware_or_its_device_tree_names(tmp_path):
    dmi, tree = tmp_path / "product_name", tmp_path / "model"
    dmi.write_bytes(b"R740 \n")
    tree.write_bytes(b"Raspberry Pi 5\0")
    assert this_box([dmi, tree, tmp_path / "none"]).hw == {"R740", "Raspberry Pi 5"}
    assert this_box([tmp_path / "none"]).hw == frozenset()
