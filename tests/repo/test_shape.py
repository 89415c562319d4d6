"""The structure that review need not watch: twins, contracts, names, the two dependency lists.

Sizes are no business of this file (`make shape` lists them): structure fails, size is a question.
"""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {  # import name: (its folder, where its twins stand)
    "roost_agent": (ROOT / "agent/roost_agent", ROOT / "tests/unit/agent"),
    "roost_central": (ROOT / "central/roost_central", ROOT / "tests/unit/central"),
    "roost_protocol": (ROOT / "protocol/roost_protocol", ROOT / "tests/protocol"),
}
# Names that say nothing, and so collect everything.
EMPTY_NAMES = {"base", "common", "data", "helpers", "manager", "misc", "util", "utils"}

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EDGE = tomllib.loads((ROOT / "agent/pyproject.toml").read_text())
CONTRACTS = PROJECT["tool"]["importlinter"]["contracts"]
PURE = next(each for each in CONTRACTS if each["name"].startswith("the cores"))["source_modules"]


def modules() -> dict[str, Path]:
    """Every module of the product: dotted name to file; a package by its __init__."""
    found = {}
    for package, (folder, _) in PACKAGES.items():
        for file in sorted(folder.rglob("*.py")):
            parts = (package, *file.relative_to(folder).with_suffix("").parts)
            found[".".join(parts).removesuffix(".__init__")] = file
    return found


MODULES = modules()


def matches(pattern: str, module: str) -> bool:
    """Whether import-linter's pattern names this module or a package around it."""
    wanted, parts = pattern.split("."), module.split(".")
    return len(parts) >= len(wanted) and all(
        want in ("*", part) for want, part in zip(wanted, parts, strict=False)
    )


def has_behaviour(file: Path) -> bool:
    """A module of names, bounds and plain records has nothing that a test could drive."""
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")
        for node in ast.walk(ast.parse(file.read_text()))
    )


def twin(module: str) -> Path:
    package, *inner, name = module.split(".")
    return PACKAGES[package][1].joinpath(*inner, f"test_{name}.py")


FOLDERS = sorted({file.parent for file in MODULES.values()})
PURE_MODULES = [
    name
    for name, file in MODULES.items()
    if file.name != "__init__.py"
    and (file.name == "core.py" or any(matches(pattern, name) for pattern in PURE))
    and has_behaviour(file)
]


@pytest.mark.parametrize("module", PURE_MODULES)
def test_a_pure_module_has_its_twin(module):
    assert twin(module).is_file(), f"{module} decides things and has no {twin(module)}"


def test_every_core_is_under_the_contract():
    cores = [name for name, file in MODULES.items() if file.name == "core.py"]
    assert [core for core in cores if not any(matches(each, core) for each in PURE)] == []


@pytest.mark.parametrize("module", MODULES)
def test_a_name_says_what_is_inside(module):
    assert not EMPTY_NAMES & set(module.split("."))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_package_says_what_it_is(folder):
    init = folder / "__init__.py"
    assert init.is_file(), f"{folder} has no __init__.py"
    assert ast.get_docstring(ast.parse(init.read_text())), f"{init} has no docstring"


def own_modules_of(contract: dict[str, object]) -> set[str]:
    """Every module of ours that a contract names, with its containers put before its layers."""
    lists = ("source_modules", "forbidden_modules", "modules", "containers")
    named = {name for key in lists for name in contract.get(key, [])}
    for layer in contract.get("layers", []):
        names = layer.replace("|", ":").split(":")
        prefixes = [f"{each}." for each in contract.get("containers", [])] or [""]
        named |= {prefix + name.strip() for prefix in prefixes for name in names}
    return {name for name in named if name.split(".")[0] in PACKAGES and "*" not in name}


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda each: each["name"])
def test_a_contract_names_modules_that_exist(contract):
    # import-linter takes a forbidden module of ours that is gone for one nobody imports.
    assert own_modules_of(contract) <= MODULES.keys()


def test_both_distributions_depend_on_the_same():
    assert EDGE["project"]["dependencies"] == PROJECT["project"]["dependencies"]
    for field in ("requires-python", "license"):
        assert EDGE["project"][field] == PROJECT["project"][field]
    for command, entry in EDGE["project"]["scripts"].items():
        assert PROJECT["project"]["scripts"][command] == entry


def test_both_distributions_have_one_version():
    root_file = ROOT / PROJECT["tool"]["hatch"]["version"]["path"]
    edge_file = ROOT / "agent" / EDGE["tool"]["hatch"]["version"]["path"]
    assert edge_file.samefile(root_file)
