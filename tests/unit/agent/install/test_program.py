import os
import stat

import msgspec
import pytest
from install_stage import JOB, InstallStage
from tuf_stage import DAY_MS

from roost_agent.install import measure
from roost_agent.install.places import Given
from roost_agent.install.program import Program
from roost_agent.trust import kept
from roost_agent.update.request_file import InstallRequest, request_file

OLD, NEW = {"bin/run": b"#!/bin/sh\necho old\n", "etc/a": b"1" * 5_000}, {"etc/a": b"2"}


@pytest.fixture
def stage(tmp_path):
    return InstallStage(tmp_path)


def install(stage, release, version, *, attempt=1):
    for verb in ("stage", "activate", "confirm", "cleanup"):
        result = stage.ask(verb, release, version, attempt=attempt)
        assert (result.word, result.text) == ("done", ""), result
    return release


def test_a_release_is_staged_activated_confirmed_and_the_one_before_is_kept(stage):
    one = stage.release("1.0", OLD, modes={"bin/run": 0o755})
    assert stage.ask("stage", one, "1.0").word == "done"
    assert stage.current() == {}
    assert stage.ask("activate", one, "1.0").word == "done"
    assert stage.current() == OLD
    assert stage.installed.component("app/demo").running is None
    assert stage.ask("confirm", one, "1.0").word == "done"
    assert kept.load(stage.given.trust).running == {"app/demo": 1}
    run = stage.given.root / "opt/roost/app/demo/current/bin/run"
    assert stat.S_IMODE(run.stat().st_mode) == 0o755
    two = install(stage, stage.release("2.0", NEW), "2.0", attempt=2)
    three = install(stage, stage.release("3.0", OLD), "3.0", attempt=3)
    here = stage.installed.component("app/demo")
    assert (here.running.digest, here.previous.digest, here.trial) == (three, two, None)
    trees = stage.given.root / "opt/roost/app/demo/releases"
    assert {path.name for path in trees.iterdir()} == {two, three, f"{two}.json", f"{three}.json"}


def test_a_release_on_trial_is_undone_whole_and_its_tree_goes(stage):
    one = install(stage, stage.release("1.0", OLD), "1.0")
    two = stage.release("2.0", NEW)
    stage.ask("stage", two, "2.0", attempt=2)
    stage.ask("activate", two, "2.0", attempt=2)
    assert stage.current() == NEW
    assert stage.ask("rollback", two, "2.0", attempt=2).word == "done"
    assert stage.current() == OLD
    assert stage.ask("rollback", two, "2.0", attempt=3).text == "nothing of it was touched"
    stage.ask("cleanup", two, "2.0", attempt=2)
    here = stage.installed.component("app/demo")
    assert (here.running.digest, here.trial, here.staged) == (one, None, None)
    trees = stage.given.root / "opt/roost/app/demo/releases"
    assert {path.name for path in trees.iterdir()} == {one, f"{one}.json"}


def test_the_first_release_of_a_component_is_undone_to_nothing(stage):
    one = stage.release("1.0", OLD)
    stage.ask("stage", one, "1.0")
    stage.ask("activate", one, "1.0")
    assert stage.ask("rollback", one, "1.0").word == "done"
    assert stage.current() == {}
    assert stage.installed.components == {}


def test_a_request_that_was_answered_is_not_carried_out_again(stage):
    one = stage.release("1.0", OLD)
    stage.ask("stage", one, "1.0")
    stage.ask("activate", one, "1.0")
    stage.ask("rollback", one, "1.0")
    assert stage.ask("activate", one, "1.0").word == "done"  # as it was told, and not done again
    assert stage.current() == {}


def test_what_no_chain_names_or_was_retracted_since_is_not_installed(stage):
    one = stage.release("1.0", OLD)
    assert stage.ask("stage", one, "1.0").word == "done"
    path = "app/demo/1.0.json"
    del stage.signers.image.delegated["app"].targets[path]
    stage.signers.publish()
    refused = stage.ask("activate", one, "1.0")
    assert (refused.word, refused.code) == ("failed", "image")
    assert stage.current() == {}
    refused = stage.ask("stage", one, "1.0", attempt=2)
    assert (refused.word, refused.code) == ("failed", "image")


def test_expiry_is_judged_once_and_a_staged_release_goes_in_days_later(stage):
    one = stage.release("1.0", OLD)
    assert stage.ask("stage", one, "1.0").word == "done"
    stage.clock.ms += 6 * DAY_MS + DAY_MS // 2  # the director's timestamp is good for seven
    assert stage.ask("activate", one, "1.0").word == "done"
    stage.clock.ms += DAY_MS
    assert stage.ask("stage", one, "1.0", attempt=2).code == "expired"


def test_a_manifest_that_is_not_the_one_asked_for_is_refused(stage):
    one = stage.release("1.0", OLD)
    two = stage.release("2.0", NEW)
    assert stage.ask("stage", one, "2.0").code == "manifest"
    assert stage.ask("activate", two, "2.0").code == "staged"
    assert stage.ask("confirm", two, "2.0").code == "trial"


def test_a_kind_that_the_class_may_not_have_is_refused(stage):
    bad = stage.release("1.0", OLD, kind="agent-self")
    refused = stage.ask("stage", bad, "1.0")
    assert (refused.code, stage.current()) == ("kind", {})
    assert "app takes files, unit" in refused.text


def test_a_blob_that_is_missing_leaves_nothing_behind(stage):
    one = stage.release("1.0", OLD)
    for blob in (stage.mirror / "blobs").rglob("*"):
        if blob.is_file():
            blob.unlink()
    assert stage.ask("stage", one, "1.0").code == "unpack"
    assert list((stage.given.root / "opt/roost/app/demo/releases").iterdir()) == []


def test_a_second_release_waits_for_the_one_on_trial(stage):
    one = stage.release("1.0", OLD)
    stage.ask("stage", one, "1.0")
    stage.ask("activate", one, "1.0")
    two = stage.release("2.0", NEW)
    assert stage.ask("stage", two, "2.0", attempt=2).code == "busy"


def test_a_file_that_was_changed_after_staging_is_seen_by_what_measures(stage):
    one = install(stage, stage.release("1.0", OLD), "1.0")
    assert measure.measured(stage.given)["app/demo"].digest == one
    (stage.given.root / "opt/roost/app/demo/current/etc/a").write_bytes(b"mine")
    found = measure.measured(stage.given)["app/demo"]
    assert (found.digest, found.why.endswith("etc/a: another content")) == ("", True)


def test_requests_of_the_agents_folder_are_read_as_a_strangers(stage, tmp_path):
    one = stage.release("1.0", OLD)
    path = request_file(stage.given.requests, "stage", one)
    stage.put("stage", one, InstallRequest(1, f"{JOB}.1.stage", "app/demo", "1.0"))
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    Program(stage.given).run("stage", one)
    path.unlink()
    os.mkfifo(path)
    Program(stage.given).run("stage", one)
    path.unlink()
    for junk in (b"{}", b"x" * 10_000):
        path.write_bytes(junk)
        Program(stage.given).run("stage", one)
    path.write_bytes(
        msgspec.json.encode(
            {"v": 1, "key": f"{JOB}.1.stage", "component": "../../etc", "version": "1"}
        )
    )
    Program(stage.given).run("stage", one)
    assert stage.installed.results == ()


def test_a_journal_that_cannot_be_read_installs_nothing(stage):
    one = stage.release("1.0", OLD)
    stage.put("stage", one, InstallRequest(1, f"{JOB}.1.stage", "app/demo", "1.0"))
    (stage.given.state / "state.json").write_bytes(b"{")
    with pytest.raises(ValueError, match="truncated"):
        Program(stage.given).run("stage", one)
    assert isinstance(stage.given, Given)
