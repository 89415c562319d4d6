"""A change of profiles: what comes, what goes, and what counts from then on. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from roost_central.errors import NotFoundError
from roost_central.profiles.core import parts_asked
from roost_central.profiles.fault import ProfileFault
from roost_central.profiles.layer import PROFILES_MAX, Layer, Profile, ProfileRecord
from roost_central.profiles.source import ProfileError, read_profile
from roost_central.profiles.toml_lines import line_of

CREATED: Final = "created"
UPDATED: Final = "updated"
UNCHANGED: Final = "unchanged"
REMOVED: Final = "removed"
PARTS_MAX: Final = (
    32  # of all selectors: each is a look into the index, up to 0.2 s for 50,000 nodes
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Files that come, each a name and a text, and names of profiles that go."""

    files: Sequence[tuple[str, str]] = ()
    remove: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What is asked, held against what counts now.

    Attributes:
        outcomes: CREATED, UPDATED, UNCHANGED or REMOVED by name.
        fresh: profiles whose text is new.
        gone: profiles that go or are replaced, as they were.
        result: all that count from then on.
    """

    outcomes: dict[str, str] = field(default_factory=dict)
    fresh: list[Profile] = field(default_factory=list)
    gone: list[Profile] = field(default_factory=list)
    result: list[Profile] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        """Profiles that are not as they were."""
        return {name for name, what in self.outcomes.items() if what != UNCHANGED}


def change_of(wanted: Wanted, records: Sequence[ProfileRecord]) -> Change:
    """Return the change that is asked.

    Raises:
        ProfileError: a file is wrong, two have one name, or one that stays is no longer well.
        NotFoundError: one that is to go is not there.
    """
    given = _given(wanted)
    there = {record.name: record for record in records}
    for name in wanted.remove:
        if name not in there:
            raise NotFoundError("profile", field="profile", got=name)
    change = Change()
    for profile in given:
        before = there.get(profile.name)
        if before is None:
            change.outcomes[profile.name] = CREATED
        else:
            same = before.source == profile.source
            change.outcomes[profile.name] = UNCHANGED if same else UPDATED
    change.outcomes.update(dict.fromkeys(wanted.remove, REMOVED))
    change.fresh.extend(each for each in given if each.name in change.names)
    change.gone.extend(_was(there[name]) for name in sorted(change.names & there.keys()))
    change.result.extend(read_all(each for each in records if each.name not in change.names))
    change.result.extend(change.fresh)
    if len(change.result) > PROFILES_MAX:
        detail = f"{len(change.result)} profiles, at most {PROFILES_MAX}"
        raise ProfileError([ProfileFault("", 0, "", "profile", detail)])
    if faults := list(_too_many(change)):
        raise ProfileError(faults)
    return change


def _too_many(change: Change) -> Iterator[ProfileFault]:
    """Yield a fault for each new profile that asks the inventory where all ask too much of it."""
    parts = len(parts_asked(change.result))
    if parts <= PARTS_MAX:
        return
    detail = f"profiles ask the inventory {parts} different things, at most {PARTS_MAX}"
    for each in change.fresh:
        if parts_asked([each]):
            line = line_of(each.source, ("profile", "select"))
            yield ProfileFault(each.file, line, "profile.select", "selector", detail)


def read_all(records: Iterable[ProfileRecord]) -> list[Profile]:
    """Return profiles that were applied.

    Raises:
        ProfileError: one is no longer within the schema of this release.
    """
    found: list[Profile] = []
    wrong: list[ProfileFault] = []
    for record in records:
        try:
            found.append(read_kept(record.source, record.file))
        except ProfileError as err:
            wrong += err.faults
    if wrong:
        raise ProfileError(wrong)
    return found


@lru_cache(PROFILES_MAX)
def read_kept(source: str, file: str) -> Profile:
    """Return a profile that was applied; each text is read once."""
    return read_profile(source, file)


def _given(wanted: Wanted) -> list[Profile]:
    given: dict[str, Profile] = {}
    wrong: list[ProfileFault] = []
    for file, source in wanted.files:
        try:
            profile = read_profile(source, file)
        except ProfileError as err:
            wrong += err.faults
            continue
        name = profile.name
        if name in given or name in wanted.remove:
            other = given[name].file if name in given else "what is removed"
            detail = f"{name!r} is the name in {other} as well"
            wrong.append(ProfileFault(file, 0, "profile.name", "profile", detail))
        given[name] = profile
    if wrong:
        raise ProfileError(wrong)
    return list(given.values())


def _was(record: ProfileRecord) -> Profile:
    """Return a profile as it was; one that this release cannot read may have been for anybody."""
    try:
        return read_kept(record.source, record.file)
    except ProfileError:
        return Profile(record.name, Layer.FLEET, "", {}, record.source, record.file)
