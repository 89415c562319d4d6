"""What a plugin may write: by a file that root alone can have written, and that makes sense."""

from pathlib import Path

import pytest

from roost_agent.install import grants
from roost_agent.install.grants import SOCKETS, WRITES_MAX, GrantError, contained, granted
from roost_agent.install.places import Given


@pytest.fixture
def said(tmp_path):
    """Write the operator's word on kind ``tool``; return its file."""
    file = tmp_path / "etc/roost/installers.d/tool.toml"
    for folder in (tmp_path / "etc", tmp_path / "etc/roost", file.parent):
        folder.mkdir(mode=0o755)

    def write(text):
        file.write_text(text)
        file.chmod(0o644)
        return file

    return write


def test_nothing_is_granted_where_the_operator_said_nothing(tmp_path):
    assert granted(tmp_path, "tool") == ()


def test_what_the_operator_names_is_granted_to_that_kind_alone(tmp_path, said):
    said('writes = ["/boot", "/sysroot/"]')
    assert granted(tmp_path, "tool") == (tmp_path / "boot", tmp_path / "sysroot")
    assert granted(tmp_path, "other") == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("writes = 1", f"bound a list of {WRITES_MAX} paths"),
        (f"writes = {['/a'] * (WRITES_MAX + 1)}", f"bound a list of {WRITES_MAX} paths"),
        ("write = []", "write: unknown; there is writes"),
        ("writes = [1]", "writes: 1: bound absolute"),
        ('writes = ["boot"]', "'boot': bound absolute"),
        ('writes = ["/"]', "'/': bound absolute"),
        ('writes = ["/boot/../etc"]', "bound absolute"),
        ('writes = ["/boot//efi"]', "bound absolute"),
        (f'writes = ["/{"x" * 300}"]', "at most 255 characters"),
        (f"writes = [] # {'x' * 5000}", "bound 4096 bytes"),
        ("writes", "tool.toml: "),
    ],
)
def test_a_word_that_makes_no_sense_is_refused_by_its_file_and_bound(tmp_path, said, text, why):
    said(text)
    with pytest.raises(GrantError, match=r"tool\.toml: ") as refused:
        granted(tmp_path, "tool")
    assert why in str(refused.value)


def test_each_recipe_of_an_installer_has_a_word_that_makes_sense(tmp_path, said):
    recipes = Path(__file__).parents[4] / "packaging/recipes"
    names = {path.name for path in (recipes / "installers").iterdir()}
    assert {path.stem for path in (recipes / "writes").glob("*.toml")} == names
    for name in names:
        said((recipes / "writes" / f"{name}.toml").read_text())
        assert granted(tmp_path, "tool")


def test_a_link_that_leads_elsewhere_is_named(tmp_path, said):
    (tmp_path / "ostree").symlink_to("sysroot/ostree")
    said('writes = ["/ostree/repo"]')
    with pytest.raises(GrantError, match=r"a link leads to .*/sysroot/ostree/repo; name that"):
        granted(tmp_path, "tool")


def test_a_word_that_others_than_root_may_have_written_is_not_believed(tmp_path, said):
    file = said('writes = ["/boot"]')
    file.chmod(0o666)
    with pytest.raises(GrantError, match="others may write to it; chmod go-w"):
        granted(tmp_path, "tool")


def test_what_commands_the_machine_is_shut_unless_it_is_named(tmp_path, said, monkeypatch):
    given = Given(root=tmp_path)
    place = tmp_path / "opt/roost/os"
    words = contained(("/i",), "tool", place, given)
    assert shut(words) == {*SOCKETS}
    assert f"--open={place}" in words
    assert {f"--close={each}" for each in (place / "releases", given.state, given.trust)} < {*words}
    assert words[-2:] == ("--", "/i")
    monkeypatch.setattr(grants, "SOCKETS", (tmp_path / "run/dbus/bus", tmp_path / "run/other"))
    said('writes = ["/run/dbus"]')
    assert shut(contained(("/i",), "tool", place, given)) == {tmp_path / "run/other"}


def shut(words):
    return {Path(each[len("--shut=") :]) for each in words if each.startswith("--shut=")}
