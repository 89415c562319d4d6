"""A planted fault: what to change in a copy of the tree, and the test that must then fail."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
THREATS = "security"
UPDATES = "update"


class DoesNotApplyError(Exception):
    """The text to replace is not there, or there more than once: the mutant must be renewed."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement; ``old`` stands exactly once in ``file``."""

    file: str
    old: str
    new: str

    def applied(self, root: Path) -> str:
        """Return the file's changed text.

        Raises:
            DoesNotApplyError: see there.
        """
        text = (root / self.file).read_text()
        if (times := text.count(self.old)) != 1:
            raise DoesNotApplyError(f"{self.file}: {times} times, want once: {self.old!r}")
        return text.replace(self.old, self.new)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault.

    Attributes:
        name: what is wrong with the copy.
        test: the node id of the test that must fail.
        budget_s: how long that may take.
        group: the file it stands in; ``foundation`` is the six that everything rests on.
        threat: of the eight that identity and access stand on, which; empty: it is none of them.
        update: of the eight that updates stand on, which; empty: it is none of them.
        also: another set that it is counted in; empty: none.
    """

    name: str
    test: str
    budget_s: float
    group: str
    edits: tuple[Edit, ...]
    threat: str = ""
    update: str = ""
    also: str = ""

    @property
    def sets(self) -> tuple[str, ...]:
        """By which names it is counted: its group's, those of the eight, and one more."""
        found = (
            self.group, THREATS if self.threat else "", UPDATES if self.update else "", self.also,
        )  # fmt: skip
        return tuple(dict.fromkeys(each for each in found if each))

    def apply(self, root: Path) -> dict[Path, str]:
        """Change the tree at ``root``; return what the changed files held."""
        before: dict[Path, str] = {}
        for edit in self.edits:
            path = root / edit.file
            changed = edit.applied(root)
            before.setdefault(path, path.read_text())
            path.write_text(changed)
        return before


def mutants() -> list[Mutant]:
    """Return all that stand in the files beside this one."""
    found = []
    for file in sorted(FOLDER.glob("*.toml")):
        for table in tomllib.loads(file.read_text())["mutant"]:
            edits = tuple(Edit(**edit) for edit in table.pop("edit"))
            found.append(Mutant(**table, group=file.stem, edits=edits))
    return found
