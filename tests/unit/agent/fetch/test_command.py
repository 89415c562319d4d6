import json
import os

import pytest
from install_stage import InstallStage
from releases import digest

from roost_agent.errors import AgentError
from roost_agent.fetch import command
from roost_agent.fetch.budget import NOTED_EVERY, Budget, BudgetError
from roost_agent.trust.blobs import url_of

OLD = {"a": b"1" * 4_000, "b": bytes(range(256)) * 300}


@pytest.fixture
def stage(tmp_path):
    made = InstallStage(tmp_path, repository=tmp_path / "repository")
    made.mirror = tmp_path / "agent/updates/mirror"
    return made


@pytest.fixture
def fetch(stage, capsys):
    def fetched(release, version, **more):
        words = {
            "component": "app/demo", "version": version, "digest": release,
            "source": str(stage.repository), "state-dir": str(stage.folder / "agent"),
            "trust-dir": str(stage.given.trust), "root": str(stage.given.root),
        }  # fmt: skip
        told = (words | {name.replace("_", "-"): value for name, value in more.items()}).items()
        assert command.run([f"--{name}={value}" for name, value in told], stage.clock) == 0
        return json.loads(capsys.readouterr().out)

    return fetched


def blobs_in(folder):
    return sum(each.is_file() for each in (folder / "blobs").rglob("*"))


def test_a_release_comes_into_the_mirror_and_a_second_time_costs_nothing(stage, fetch):
    one = stage.release("1.0", OLD, reboot=True)
    said = fetch(one, "1.0")
    assert (said["reboot"], said["needs_drain"], said["bytes"] > 0) == (True, False, True)
    assert blobs_in(stage.mirror) == 2
    assert fetch(one, "1.0")["bytes"] == 0


def test_what_another_run_of_the_job_has_spent_is_not_to_be_spent_again(stage, fetch, tmp_path):
    """A release larger than the budget does not come in several rounds."""
    one = stage.release("1.0", {"a": bytes(range(256)) * 64 + os.urandom(40_000)})
    note = tmp_path / "spent"
    note.write_text("50000")
    with pytest.raises(BudgetError, match="0 may be now"):
        fetch(one, "1.0", bytes_max="50000", spent=str(note))
    said = fetch(one, "1.0", bytes_max="200000", spent=str(note))
    assert int(note.read_text()) == 50_000 + said["bytes"]
    assert said["bytes"] > 40_000


def test_a_run_that_breaks_off_notes_what_it_has_spent(tmp_path):
    budget = Budget(NOTED_EVERY * 2, tmp_path / "spent")
    budget.take(NOTED_EVERY)
    assert (tmp_path / "spent").read_text() == str(NOTED_EVERY), "a kill may come at any time"
    with pytest.raises(BudgetError):
        Budget(NOTED_EVERY * 2, tmp_path / "spent").take(NOTED_EVERY + 1)


def test_what_is_on_the_node_already_is_not_fetched(stage, fetch):
    one = stage.release("1.0", OLD)
    fetch(one, "1.0")
    stage.given = stage.given.__class__(
        stage.given.root, stage.given.state, stage.given.requests, stage.given.trust,
        stage.mirror, "", stage.clock,
    )  # fmt: skip
    for verb in ("stage", "activate", "confirm"):
        assert stage.ask(verb, one, "1.0").word == "done"
    two = stage.release("2.0", OLD | {"c": b"new"})
    before = blobs_in(stage.mirror)
    fetch(two, "2.0")
    assert blobs_in(stage.mirror) == before + 1


def test_a_budget_that_is_too_small_begins_nothing_and_says_so_by_its_status(stage, fetch):
    one = stage.release("1.0", OLD)
    with pytest.raises(BudgetError, match="may be now") as refused:
        fetch(one, "1.0", bytes_max=10)
    assert refused.value.exit_status == 75
    assert not (stage.mirror / "blobs").exists()
    with pytest.raises(AgentError, match="whole number"):
        fetch(one, "1.0", bytes_max="lots")


def test_what_came_before_an_interruption_is_gone_on_with(stage, fetch):
    content = bytes(range(256)) * 4
    one = stage.release("1.0", {"a": content})
    whole = next(each for each in (stage.repository / "blobs").rglob("*") if each.is_file())
    part = stage.mirror / f"{url_of(whole.name)}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(whole.read_bytes()[:100])
    assert fetch(one, "1.0")["bytes"] == whole.stat().st_size - 100
    assert digest((part.with_suffix("")).read_bytes()) == whole.name


def test_with_the_source_gone_what_was_fetched_before_is_enough(stage, fetch):
    one = stage.release("1.0", OLD)
    fetch(one, "1.0")
    assert fetch(one, "1.0", source=str(stage.folder / "nowhere"))["bytes"] == 0
    with pytest.raises(
        AgentError, match=r"^absent: the image repository has no .*; app/demo 9\.9 "
    ):
        fetch(one, "9.9", source=str(stage.folder / "nowhere"))


def test_another_release_than_the_one_asked_for_is_not_fetched(stage, fetch):
    stage.release("1.0", OLD)
    with pytest.raises(AgentError, match="was asked for"):
        fetch("0" * 64, "1.0")
    with pytest.raises(AgentError, match="no identity to ask the centre by"):
        fetch("0" * 64, "1.0", source="")


def test_a_source_that_lies_is_left_for_the_next_one(stage, fetch, tmp_path):
    one = stage.release("1.0", OLD)
    liar = tmp_path / "liar"
    for blob in (stage.repository / "blobs").rglob("*"):
        if blob.is_file():
            there = liar / url_of(blob.name)
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(b"lies")
    said = fetch(one, "1.0", source=f"{liar},{stage.repository}")
    assert said["bytes"] > 0
    assert blobs_in(stage.mirror) == 2
