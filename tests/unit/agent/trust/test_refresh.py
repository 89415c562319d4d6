"""What is known of the director is this site's, wherever the one who fetches it is killed."""

import pytest
from releases import custom
from tuf_stage import NOW_MS, Stage

from roost_agent.trust.chain import ChainError
from roost_agent.trust.kept import DIRECTOR_ROOT, IMAGE_ROOT
from roost_agent.trust.local import FolderSource
from roost_agent.trust.refresh import Paths, refresh
from roost_protocol.release.director import SiteDocument


class KilledError(BaseException):
    """Nothing of ours catches it, as nothing does a kill."""


class Deadly(FolderSource):
    """A folder whose reader is killed where it asks for the director's document."""

    def open(self, path, offset=0):
        if path.startswith("director/") and path.endswith(".targets.json"):
            raise KilledError
        return super().open(path, offset)


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path / "stick")
    made.assign(custom(), made.sign_release(custom()))
    made.publish()
    (tmp_path / IMAGE_ROOT).write_bytes(made.image.anchor)
    (tmp_path / DIRECTOR_ROOT).write_bytes(made.director.anchor)
    return made


def test_another_sites_word_is_nowhere_when_this_is_killed_before_it_is_judged(stage, tmp_path):
    paths = Paths(tmp_path, tmp_path / "known", tmp_path / "mirror")
    own = {path: path.read_bytes() for path in (stage.mirror / "director").rglob("*.json")}
    assert refresh([FolderSource(stage.mirror)], paths, "lab.n1", NOW_MS).manifests
    stage.document = SiteDocument(v=1, site="edge", assignments=[])
    stage.publish()
    with pytest.raises(KilledError):
        refresh([Deadly(stage.mirror)], paths, "lab.n1", NOW_MS)
    for path, raw in own.items():
        path.write_bytes(raw)
    again = refresh([FolderSource(stage.mirror)], paths, "lab.n1", NOW_MS)
    assert [*again.manifests] == ["app/web/2.0.json"], "its own word would be older than edge's"


def test_who_was_not_reached_may_have_it_later_whoever_lacks_it(stage, tmp_path):
    (tmp_path / "file").write_text("no folder")
    paths = Paths(tmp_path, tmp_path / "known", tmp_path / "mirror")
    dead, lacks = (FolderSource(tmp_path / each) for each in ("file", "nowhere"))
    for sources, code in (
        ([dead, lacks], "unreachable"),
        ([lacks, dead], "unreachable"),
        ([lacks], "absent"),
    ):
        with pytest.raises(ChainError) as refused:
            refresh(sources, paths, "lab.n1", NOW_MS)
        assert refused.value.code == code
    assert refresh([lacks, FolderSource(stage.mirror)], paths, "lab.n1", NOW_MS).manifests
