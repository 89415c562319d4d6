"""What no line of the product may do, read from its syntax trees; and words nobody may write.

Ruff bans much of this too (pyproject.toml); ruff can be silenced by one comment, this cannot.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    file for top in ("agent", "central", "protocol") for file in (ROOT / top).rglob("*.py")
)

# Dotted names, and what to use instead. A name bans everything below it.
ANYWHERE = {
    "pickle": "msgspec: a pickle runs what it carries",
    "marshal": "msgspec",
    "shelve": "the storage layer",
    "eval": "a parser",
    "exec": "a parser",
    "yaml.load": "yaml.safe_load",
    "yaml.unsafe_load": "yaml.safe_load",
    "yaml.full_load": "yaml.safe_load",
    "tarfile": "the manifest reader: extraction filters were bypassed before",
    "zipfile": "the manifest reader",
    "shutil.unpack_archive": "the manifest reader",
    "tempfile.mktemp": "tempfile.mkstemp",
    "os.system": "asyncio.create_subprocess_exec",
    "os.popen": "asyncio.create_subprocess_exec",
    "asyncio.create_subprocess_shell": "asyncio.create_subprocess_exec",
    "asyncio.create_task": "asyncio.TaskGroup",
    "asyncio.ensure_future": "asyncio.TaskGroup",
    "asyncio.gather": "asyncio.TaskGroup",
    "asyncio.wait_for": "asyncio.timeout",
    "threading": "asyncio.to_thread",
    "_thread": "asyncio.to_thread",
}
OUTSIDE_PORTS = {
    "time.time": "ports.Clock",
    "time.time_ns": "ports.Clock",
    "time.monotonic": "ports.Clock",
    "time.monotonic_ns": "ports.Clock",
    "time.perf_counter": "ports.Clock",
    "time.perf_counter_ns": "ports.Clock",
    "time.clock_gettime": "ports.Clock",
    "time.clock_gettime_ns": "ports.Clock",
    "datetime.datetime.now": "ports.Clock",
    "datetime.datetime.utcnow": "ports.Clock",
    "datetime.datetime.today": "ports.Clock",
    "datetime.date.today": "ports.Clock",
    "random": "ports.Entropy",
    "secrets": "ports.Entropy",
    "os.urandom": "ports.Entropy",
    "os.getrandom": "ports.Entropy",
    "uuid.uuid1": "ports.Entropy",
    "uuid.uuid4": "ports.Entropy",
}
# A seeded generator of one's own repeats itself; it is what simulators are made of.
EXEMPT = {"random.Random"}
# The local client runs in other people's programs, which have no ports of ours.
CLOCK_DOORS = {"ports.py", "local_client.py"}


class Reader(ast.NodeVisitor):
    """Collects (line, what) of everything forbidden in one module."""

    def __init__(self, *, is_port: bool) -> None:
        self.banned = ANYWHERE | ({} if is_port else OUTSIDE_PORTS)
        self.origin: dict[str, str] = {}  # a local name -> the dotted name it was imported as
        self.found: list[tuple[int, str]] = []

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            local = alias.asname or alias.name.partition(".")[0]
            self.origin[local] = alias.name if alias.asname else local
            if alias.name != "random":  # naming the type random.Random needs the import
                self.check(node, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            dotted = f"{node.module}.{alias.name}"
            self.origin[alias.asname or alias.name] = dotted
            self.check(node, dotted)

    def visit_Name(self, node: ast.Name) -> None:
        self.check(node, self.origin.get(node.id, node.id))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        dotted = self.dotted(node)
        if dotted is None:
            self.generic_visit(node)
        else:
            self.check(node, dotted)

    def visit_Call(self, node: ast.Call) -> None:
        if any(
            keyword.arg == "shell"
            and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
            for keyword in node.keywords
        ):
            self.found.append((node.lineno, "shell=: pass a list of arguments"))
        if isinstance(node.func, ast.Attribute) and node.func.attr == "create_task":
            owner = ast.unparse(node.func.value)
            if "loop" in owner:
                self.found.append((node.lineno, f"{owner}.create_task: use a TaskGroup"))
        if self.dotted(node.func) in EXEMPT and not node.args:
            self.found.append((node.lineno, "random.Random() without a seed: use ports.Entropy"))
        if isinstance(node.func, ast.Name) and node.func.id in (
            "list",
            "tuple",
            "iter",
            "enumerate",
        ):
            self.check_order(node.args[0] if node.args else None)
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        self.check_order(node.iter)
        self.generic_visit(node)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        for generator in node.generators:
            self.check_order(generator.iter)
        self.generic_visit(node)

    def dotted(self, node: ast.expr) -> str | None:
        """`a.b.c` as the imports of this module resolve it, or None for anything but names."""
        if isinstance(node, ast.Name):
            return self.origin.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            owner = self.dotted(node.value)
            return owner and f"{owner}.{node.attr}"
        return None

    def check(self, node: ast.AST, dotted: str) -> None:
        parts = dotted.split(".")
        for end in range(1, len(parts) + 1):
            name = ".".join(parts[:end])
            if name in self.banned and not EXEMPT & {dotted, ".".join(parts[: end + 1])}:
                self.found.append((node.lineno, f"{dotted}: use {self.banned[name]}"))
                return

    def check_order(self, node: ast.expr | None) -> None:
        """A set's order differs between two runs: what is made from it must be sorted first."""
        if isinstance(node, ast.BinOp):
            self.check_order(node.left)
            self.check_order(node.right)
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if isinstance(node, ast.Set | ast.SetComp) or (
            is_call and node.func.id in ("set", "frozenset")
        ):
            self.found.append((node.lineno, "the order of a set: use sorted()"))


def forbidden(source: str, *, is_port: bool = False) -> list[tuple[int, str]]:
    reader = Reader(is_port=is_port)
    reader.visit(ast.parse(source))
    return reader.found


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_product_does_nothing_forbidden(file):
    assert forbidden(file.read_text(), is_port=file.name in CLOCK_DOORS) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "from marshal import dumps as d",
        "eval('1')",
        "exec(text)",
        "import yaml\nyaml.load(text)",
        "import yaml as y\ny.load(text)",
        "from yaml import load",
        "import tarfile",
        "import zipfile as z",
        "import shutil\nshutil.unpack_archive(path)",
        "from tempfile import mktemp",
        "import subprocess\nsubprocess.run('ls', shell=True)",
        "import subprocess\nsubprocess.run('ls', shell=flag)",
        "import os\nos.system('ls')",
        "import time\nnow = time.time()",
        "import time as t\nnow = t.monotonic_ns()",
        "from time import monotonic",
        "import datetime\ndatetime.datetime.now(datetime.UTC)",
        "from datetime import datetime as dt\ndt.now()",
        "import random\nrandom.random()",
        "import random\nrandom.Random()",
        "from random import choice",
        "import secrets",
        "import os\nos.urandom(8)",
        "from uuid import uuid4",
        "import asyncio\nasyncio.create_task(run())",
        "import asyncio\nasyncio.get_running_loop().create_task(run())",
        "from asyncio import gather",
        "import threading",
        "for each in {1, 2}: act(each)",
        "for each in set(names) - seen: act(each)",
        "actions = [act(each) for each in {n.id for n in nodes}]",
        "actions = list(set(names))",
    ],
)
def test_a_planted_fault_is_found(source):
    assert forbidden(source)


@pytest.mark.parametrize(
    "source",
    [
        "import yaml\nyaml.safe_load(text)",
        "import random\nrng = random.Random(7)\nrng.random()",
        "import random\ndef shuffle(rng: random.Random): rng.shuffle([])",
        "async def run(group): group.create_task(run(group))",
        "import time\ntime.sleep(1)",
        "from datetime import UTC, datetime\ndatetime.fromtimestamp(0, UTC)",
        "for each in sorted({1, 2}): act(each)",
        "known = any(each.up for each in {a, b})",
        "evaluate(text)\nself.time()\nclock.time()",
        "import subprocess\nsubprocess.run(['ls'], shell=False)",
    ],
)
def test_what_is_allowed_is_left_alone(source):
    assert forbidden(source) == []


def test_only_a_port_reads_a_clock():
    source = "import time\nnow = time.time()"
    assert forbidden(source)
    assert forbidden(source, is_port=True) == []


# Written so that this file does not name what it forbids.
FORBIDDEN_TEXT = re.compile(
    r"(?<![\w.])/(?:wor[k]|roo[t]|hom[e]/\w+)/"  # a path of somebody's machine
    r"|pypi[.](?:org|io)|pythonhoste[d][.]org|npmj[s][.](?:org|com)|registr[y][.]yarnpkg"
    r"|deb[.]debia[n][.]org|unpk[g][.]com|jsdeliv[r][.]net|esm[.]s[h]"  # a registry or a CDN
    r"|(?<!emit-)inde[x]-url[ =]|trusted-hos[t]"
)


def repository_files() -> Iterator[Path]:
    """Every text file that is, or is about to be, in the repository."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode:
        pytest.skip("not a git checkout: which files count is not known")
    for name in filter(None, listing.stdout.split("\0")):
        if (ROOT / name).is_file():  # else: deleted, not yet committed
            yield ROOT / name


def test_no_file_names_a_machine_or_a_registry():
    found = []
    for file in repository_files():
        text = file.read_bytes().decode(errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if match := FORBIDDEN_TEXT.search(line):
                found.append(f"{file.relative_to(ROOT)}:{number}: {match.group()}")
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "see /wor" + "k/main",
        "/roo" + "t/.cache/x",
        "pip --inde" + "x-url=x",
        "https://pyp" + "i.org/p/",
    ],
)
def test_a_planted_word_is_found(line):
    assert FORBIDDEN_TEXT.search(line)


@pytest.mark.parametrize(
    "line", ["/proc/1/root/etc", "network/root/x", "homework/", "/home is kept"]
)
def test_an_innocent_path_is_left_alone(line):
    assert not FORBIDDEN_TEXT.search(line)
