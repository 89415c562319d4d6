"""Writes the field table where others read it: for the dashboard and as docs/query.md.

Run ``python -m roost_central.fleet.export_fields`` at the root of a checkout after each change of
fields.py; a test fails when a written file differs. Leaves the meaning of the fields to fields.py.
"""

import json
from pathlib import Path
from typing import Final

from roost_central.fleet.fields import (
    ANY_KEY,
    FIELDS,
    INVENTORY,
    ITEM_ID,
    REASON,
    TEXT_FIELDS,
    Field,
)
from roost_central.fleet.inventory_fields import CLASSES
from roost_central.fleet.query_error import (
    DEPTH_MAX,
    QUERY_BYTES_MAX,
    STARS_MAX,
    TERMS_MAX,
    VALUES_MAX,
)

JAVASCRIPT: Final = Path("central/roost_central/dashboard/static/app/query-fields.js")
PAGE: Final = Path("docs/query.md")

EXAMPLES: Final = (  # query, what it finds; each is asked of a small fleet in the tests
    ("edge-02", "everything whose name, text or label contains `edge-02`"),
    ("region:r0* status>=degraded", "sites of these regions that are degraded, unknown or down"),
    ("path.p1=down path.p2=up", "sites that live on their second path"),
    ("path.*=down OR age>10m", "some path is down, or nothing was heard for ten minutes"),
    ("release<4.3.0 !label.lab:*", "older than 4.3.0 and without a label `lab`"),
    ("carrier=carB,carC (status=down OR status=unknown)", "dark sites of two carriers"),
    ("lat=null", "sites that nobody has placed on the map"),
    ('name:"store*"', "display names that start with store; quotes keep spaces together"),
    ("sev:>=major at>=-24h", "events of the last day that are major or critical"),
    (
        "inv.disk.serial=S4EVNX0R",
        "where this disk is; on events and alarms, what it has to do with",
    ),
    ("inv.nic{driver=ice firmware<4.20}", "one NIC is both an `ice` and older than that"),
    ("carrier=carB inv.hugepages.count=0 age>1h", "fields of every origin in one query"),
    ("count(inv.disk{type=nvme})>=2", "at least two NVMe disks in one node"),
    ("inv.nic.firmware=null", "some NIC does not tell its firmware"),
    ("inv.nic.firmware.reason=denied", "and why it does not"),
    ("inv.dimm.reason=denied", "nodes where the memory modules cannot be read at all"),
    ("!inv.gpu.id:*", "no GPU"),
)

_PAGE_HEAD: Final = f"""\
# Query language

One language everywhere: the box in the dashboard, `q=` in a URL, `-q` on the command line and
`filter=` in the API. This page is made from the field table by
`python -m roost_central.fleet.export_fields`.

## Terms

| write | it holds when |
|---|---|
| `FIELD:GLOB` | the field fits the glob: `*` is any text, `?` one character, case does not matter |
| `FIELD=VALUE`, `FIELD!=VALUE` | the field is exactly this; is known and not this |
| `FIELD<VALUE`, `<=`, `>`, `>=` | the field is known and before or after; ordered kinds only |
| `FIELD=A,B,C` | one of the list (with `:` too); with `!=` none of it |
| `FIELD=null`, `FIELD!=null` | the value is unknown; is known |
| `word`, `"some words"` | the text is contained in {", ".join(TEXT_FIELDS)} or a label value |
| `A B`, `A AND B` | both hold |
| `A OR B` | one holds; AND binds tighter, parentheses group |
| `!A` | A does not hold |

- Unknown is never guessed: only `=null` and `!=null` ask for it, and any other comparison with an
  unknown value is false, `!=` included. So `!label.owner:*` finds what has no owner.
- A value or text with a space, a bracket, a comma or a quote stands in quotes, with `\\"` for `"`
  and `\\\\` for `\\`. No space stands around an operator; `sev:>=major` reads as `sev>=major`.
- Durations are `250ms 90s 10m 8h 7d`, sizes `4096 64GiB 500GB`, times RFC 3339 (`2026-11-01`,
  `2026-11-01T03:00:00Z`) or ago (`-24h`). Versions are in natural order: `4.9` < `4.10`,
  `4.3.0-rc1` < `4.3.0`. Severities and statuses compare by rank.
- A field with several values (any node of a site, `path.{ANY_KEY}`) fits when one of them does.
- Bounds: {QUERY_BYTES_MAX} bytes, {TERMS_MAX} terms, brackets {DEPTH_MAX} deep, lists of
  {VALUES_MAX} values, globs with {STARS_MAX} stars. There are no regular expressions.
- The inventory: `inv.CLASS.FIELD` holds when one item of the class does,
  `inv.CLASS{{TERM ..}}` when all terms hold on one item, `count(inv.CLASS{{TERM ..}})` is compared
  with how many do. `id` is an item's key, `FIELD.reason` why its value is unknown and
  `inv.CLASS.reason` why a class is empty. On a site any of its nodes counts, on an event or alarm
  the node it is about.
- A mistake is answered with its place and, where one is near, what may have been meant. It never
  quietly matches nothing.
"""

_PAGE_INVENTORY: Final = """\
## Inventory

Fields with a star are kept one by one, and found in milliseconds over the whole fleet. For any
other, the documents of the nodes that the rest of the query leaves are read: `roost query explain`
calls such a query slow. Behind a colon stands the kind, where it is not text; a number is compared
in the unit that its name ends with, a size also takes `64GiB`.
"""

_PAGE_LATER: Final = """\
## Later

These names are taken and answer `not-yet`.
"""

_TYPES: Final = """\
/**
 * The fields of the query language. Made from fleet/fields.py by
 * `python -m roost_central.fleet.export_fields`; edit that one.
 */

/** @typedef {keyof typeof import("./query-values.js").KINDS} KindName */
/**
 * @typedef {{name: string, kind: KindName, doc: string, carriers: string[], unit: string,
 *   choices: string[], isKeyed: boolean, isLabel: boolean, isSince: boolean,
 *   comesWith: string}} Field
 */
"""

_INVENTORY_TABLE: Final = """\
/** @type {Field[]} */
const ITEMS = Object.entries(CLASSES).flatMap(([itemClass, line]) =>
  line.split(" ").map((entry) => {
    const [name, kind] = entry.replace("*", "").split(":");
    return {
      ...TABLE[0], // the site's name: a text that all objects answer for
      name: `${INVENTORY}${itemClass}.${name}`,
      kind: /** @type {KindName} */ (kind ?? "text"),
      doc: `The ${name} of an item.`,
    };
  }),
);

/**
 * The indexed fields of each class that has some, without its id.
 * @type {Record<string, string[]>}
 */
export const STARRED = Object.fromEntries(Object.entries(CLASSES)
  .map(([itemClass, line]) => [itemClass, line.split(" ")
    .filter((entry) => entry.includes("*")).map((entry) => entry.split("*")[0])
    .filter((name) => name !== ITEM_ID)])
  .filter(([, names]) => names.length > 0));

"""


def javascript() -> str:
    """Return the module query-fields.js."""
    rows = "".join(f"  {_row(field)},\n" for field in FIELDS.values() if not _is_inventory(field))
    items = "".join(f"  {name}: {json.dumps(_kinds(name))},\n" for name in CLASSES)
    return (
        f"{_TYPES}\n"
        f"/** Searched by a bare text, beside every label value. */\n"
        f"export const TEXT_FIELDS = {json.dumps(TEXT_FIELDS)};\n\n"
        f"/** What every inventory field begins with, and the names that all classes have. */\n"
        f"export const INVENTORY = {json.dumps(INVENTORY)};\n"
        f"export const ITEM_ID = {json.dumps(ITEM_ID)};\n"
        f"export const REASON = {json.dumps(REASON)};\n\n"
        f"/** @type {{Field[]}} */\nconst TABLE = [\n{rows}];\n\n"
        f"/** The inventory's classes: each field, a star if indexed, its kind if not text. */\n"
        f"export const CLASSES = {{\n{items}}};\n\n{_INVENTORY_TABLE}"
        f"const ALL = [...TABLE, ...ITEMS];\n"
        f"/** The fields by name, in their order. */\n"
        f"export const FIELDS = new Map(ALL.map((field) => [field.name, field]));\n"
    )


def markdown() -> str:
    """Return docs/query.md."""
    examples = "".join(f"| `{query}` | {meaning} |\n" for query, meaning in EXAMPLES)
    here = "".join(
        _line(field) for field in FIELDS.values() if field.available and not _is_inventory(field)
    )
    classes = "".join(f"| `{name}` | `{_kinds(name)}` |\n" for name in CLASSES)
    later = "".join(
        f"| `{field.name}` | {_kind(field)} | {field.doc} | {field.comes_with} |\n"
        for field in FIELDS.values()
        if not field.available
    )
    return (
        f"{_PAGE_HEAD}\n"
        f"## Examples\n\n| query | finds |\n|---|---|\n{examples}\n"
        f"## Fields\n\n| field | kind | on | meaning |\n|---|---|---|---|\n{here}\n"
        f"{_PAGE_INVENTORY}\n| class | fields |\n|---|---|\n{classes}\n"
        f"{_PAGE_LATER}\n"
        f"| field | kind | meaning | comes with |\n|---|---|---|---|\n{later}"
    )


def main() -> None:
    """Write both files below the working directory."""
    for path, text in ((JAVASCRIPT, javascript()), (PAGE, markdown())):
        path.write_text(text, encoding="utf-8")


def _row(field: Field) -> str:
    """Return one field as a JavaScript object."""
    return json.dumps(
        {
            "name": field.name,
            "kind": field.kind,
            "doc": field.doc,
            "carriers": field.carriers,
            "unit": field.unit,
            "choices": field.choices,
            "isKeyed": field.is_keyed,
            "isLabel": field.is_label,
            "isSince": field.is_since,
            "comesWith": field.comes_with,
        }
    )


def _is_inventory(field: Field) -> bool:
    return field.name.startswith(INVENTORY)


def _of_class(item_class: str) -> list[tuple[str, Field]]:
    prefix = f"{INVENTORY}{item_class}."
    return [
        (name.removeprefix(prefix), field)
        for name, field in FIELDS.items()
        if name.startswith(prefix)
    ]


def _kinds(item_class: str) -> str:
    """Return the fields of a class in one line: a star where indexed, the kind if not text."""
    return " ".join(
        f"{name}{'' if field.is_slow else '*'}{'' if field.kind == 'text' else f':{field.kind}'}"
        for name, field in _of_class(item_class)
    )


def _line(field: Field) -> str:
    """Return one row of the table of fields."""
    name = f"{field.name}.K" if field.is_keyed else field.name
    return f"| `{name}` | {_kind(field)} | {', '.join(field.carriers)} | {field.doc} |\n"


def _kind(field: Field) -> str:
    """Return the kind of a field with what it takes."""
    if not field.choices:
        return field.kind
    ordered = field.kind in {"severity", "status"}
    return f"{field.kind}: {(' < ' if ordered else ', ').join(field.choices)}"


if __name__ == "__main__":
    main()
