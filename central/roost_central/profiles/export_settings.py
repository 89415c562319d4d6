"""Writes docs/settings.md: every setting of the schema, its bound, and what a change takes.

Run ``python -m roost_central.profiles.export_settings`` at the root of a checkout after each change
of the schema; a test fails when the written page differs.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from roost_protocol.profile.field import Field, Group, Keyed, Part, dotted
from roost_protocol.profile.field import Path as SettingPath
from roost_protocol.profile.schema import LATER, SECTIONS

PAGE: Final = Path("docs/settings.md")

_HEAD: Final = """\
# Settings

What a profile can say ([profiles.md](profiles.md)); a node applies the sections in this order. This
page is made from `protocol/roost_protocol/profile/` by
`python -m roost_central.profiles.export_settings`.

What is not here is refused, never skipped: a section, a setting, a sysctl key, a kernel argument.
None of them carries a command, a path, a unit's name or a login key. *Takes* is what a change takes
until it is in effect: `live` nothing more, `restart-service` that a service of the node starts
anew, `reboot` a reboot, which nothing does by itself.
"""


def markdown() -> str:
    """Return docs/settings.md."""
    sections = "".join(_section(name, group) for name, group in SECTIONS.items())
    later = ", ".join(f"`{name}`" for name in LATER)
    return (
        f"{_HEAD}\n{sections}## Later\n\nThese sections are not known yet, and refused: {later}.\n"
    )


def _section(name: str, group: Group) -> str:
    rows = "".join(
        f"| `{dotted(path)}` | {_cell(field.kind.bound)} | {field.mark} | {field.doc} |\n"
        for path, field in _fields((name,), group)
    )
    return f"## {name}\n\n| setting | must be | takes | meaning |\n|---|---|---|---|\n{rows}\n"


def _fields(path: SettingPath, part: Part) -> Iterator[tuple[SettingPath, Field]]:
    match part:
        case Field():
            yield path, part
        case Group(parts):
            for key, inner in parts.items():
                yield from _fields((*path, key), inner)
        case Keyed(each=each, example=key):
            yield from _fields((*path, key), each)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write the page below the working directory."""
    PAGE.write_text(markdown(), encoding="utf-8")


if __name__ == "__main__":
    main()
