"""What comes, what goes, and what counts from then on."""

import pytest
from making import fleet, swappiness

from roost_central.errors import NotFoundError
from roost_central.profiles.change import Wanted, change_of, read_all
from roost_central.profiles.layer import PROFILES_MAX, Layer, ProfileRecord
from roost_central.profiles.source import ProfileError


def record(name, source):
    return ProfileRecord(name, 3, f"{name}.toml", source, "ann", 1_000)


ONE = record("one", fleet("one", swappiness(1)).source)
TWO = record("two", fleet("two", "[dns]\nattempts = 1\n").source)


def change(*files, remove=(), records=(ONE, TWO)):
    given = [(f"{n}.toml", source) for n, source in enumerate(files)]
    return change_of(Wanted(given, remove), records)


def test_files_are_held_against_what_counts_now():
    new = fleet("new", swappiness(5)).source
    other = fleet("two", "[dns]\nattempts = 2\n").source
    asked = change(new, ONE.source, other)
    assert asked.outcomes == {"new": "created", "one": "unchanged", "two": "updated"}
    assert [each.name for each in asked.fresh] == ["new", "two"]
    assert [each.source for each in asked.gone] == [TWO.source]
    assert sorted(each.name for each in asked.result) == ["new", "one", "two"]
    assert asked.names == {"new", "two"}


def test_what_is_removed_does_not_count_any_more():
    asked = change(remove=["one"])
    assert asked.outcomes == {"one": "removed"}
    assert [each.name for each in asked.gone] == ["one"]
    assert [each.name for each in asked.result] == ["two"]
    with pytest.raises(NotFoundError):
        change(remove=["three"])


def test_two_files_of_one_name_and_one_that_is_removed_as_well_are_refused():
    new = fleet("new", swappiness(5)).source
    with pytest.raises(ProfileError, match=r"the name in 0\.toml as well"):
        change(new, new)
    with pytest.raises(ProfileError, match="what is removed"):
        change(ONE.source, remove=["one"])


def test_the_faults_of_all_files_are_told_at_once():
    with pytest.raises(ProfileError) as refused:
        change("x = 1", "[profile]\nname = 'p'\n")
    assert {each.file for each in refused.value.faults} == {"0.toml", "1.toml"}


def test_one_that_stays_and_is_not_within_this_releases_schema_is_refused():
    old = record("old", "[profile]\nname = 'old'\nfleet = true\n[ancient]\n")
    with pytest.raises(ProfileError, match="ancient"):
        read_all([old])
    with pytest.raises(ProfileError, match="ancient"):
        change(records=[old])
    assert change(remove=["old"], records=[old]).result == []
    assert change(fleet("old").source, records=[old]).outcomes == {"old": "updated"}


def test_one_that_this_release_cannot_read_goes_as_one_of_the_fleet():
    """Whom it was for nobody can say, so it takes a grant over all."""
    old = record("old", "[profile]\nname = 'old'\nsite = 'lab'\n[ancient]\n")
    for asked in (
        change(remove=["old"], records=(ONE, old)),
        change(fleet("old", swappiness(5)).source, records=(ONE, old)),
    ):
        [gone] = asked.gone
        assert (gone.name, gone.layer, gone.target) == ("old", Layer.FLEET, "")


def test_there_is_a_most():
    many = [record(f"p{n}", fleet(f"p{n}").source) for n in range(PROFILES_MAX)]
    assert len(change(records=many).result) == PROFILES_MAX
    with pytest.raises(ProfileError, match=f"at most {PROFILES_MAX}"):
        change(fleet("more").source, records=many)
