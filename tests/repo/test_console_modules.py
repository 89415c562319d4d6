"""The console's modules: no name is given away or taken that nobody needs, none is there twice.

It has no build step, so no bundler tells (docs/adr/0007-console-without-a-build-step.md).
"""

import re
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
APP = ROOT / "central/roost_central/dashboard/static/app"
MODULES = {file.relative_to(APP): file.read_text() for file in sorted(APP.rglob("*.js"))}
TESTS = "".join(
    file.read_text()
    for file in sorted((ROOT / "tests/browser").iterdir())
    if file.suffix in {".py", ".js"}
)
EXPORT = re.compile(r"^export (?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)
OWN = re.compile(r"^(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)
IMPORT = re.compile(r"^import \{([^}]*)\} from \"([^\"]+)\"", re.MULTILINE)
FUNCTION = re.compile(
    r"^(?:export )?(?:async )?function (\w+)\([^)]*\) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL
)
SAME_CHARS_MIN = 60  # of a body: shorter ones are alike by chance


def words(text):
    """Return how often each name stands in a text."""
    return Counter(re.findall(r"[\w$]+", text))


def needless_exports(modules, tests):
    """Return each name that a module exports and neither a module nor a test asks for."""
    known = {path: words(text) for path, text in modules.items()}
    asked = words(tests)
    return [
        f"{path}: {name}"
        for path, text in modules.items()
        for name in EXPORT.findall(text)
        if name not in asked and not any(name in known[other] for other in known if other != path)
    ]


def idle_names(modules):
    """Return each name that a module has, or imports, and does not use."""
    found = []
    for path, text in modules.items():
        taken = [
            name for names, _ in IMPORT.findall(text) for name in re.findall(r"(\w+),?", names)
        ]
        count = words(text)
        found += [f"{path}: {name}" for name in (*taken, *OWN.findall(text)) if count[name] == 1]
    return found


def twins(modules):
    """Return the places of each function body that stands in more than one."""
    bodies = defaultdict(list)
    for path, text in modules.items():
        for name, body in FUNCTION.findall(text):
            bare = re.sub(r"[\s?]+", "", body)
            if len(bare) >= SAME_CHARS_MIN:
                bodies[bare].append(f"{path}: {name}")
    return [places for places in bodies.values() if len(places) > 1]


def test_whatever_a_module_exports_somebody_asks_for():
    assert needless_exports(MODULES, TESTS) == []


def test_whatever_a_module_has_it_uses():
    assert idle_names(MODULES) == []


def test_no_function_stands_in_two_modules():
    assert twins(MODULES) == []


def test_every_module_that_is_imported_is_there():
    missing = [
        f"{path}: {target}"
        for path, text in MODULES.items()
        for target in re.findall(r"(?:from |import\()\"(\.[^\"]+)\"", text)
        if not (APP / path.parent / target).resolve().is_file()
    ]
    assert missing == []


def test_what_is_needless_is_found():
    body = "  return value.filter((each) => each.isKnown && each.at > since).map(nameOf);\n"
    modules = {
        Path("a.js"): 'import { b, c } from "./b.js";\nexport const idle = b;\n'
        f"function one(value) {{\n{body}}}\n",
        Path("b.js"): f"export function b(value) {{\n{body}}}\nexport const c = [b];\n",
    }
    assert needless_exports(modules, "") == ["a.js: idle"]
    assert needless_exports(modules, "idle") == []
    assert idle_names(modules) == ["a.js: c", "a.js: one"]
    assert twins(modules) == [["a.js: one", "b.js: b"]]
