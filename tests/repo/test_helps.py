"""Every program, and every script that a person may start, says how it is used."""

import importlib
import pkgutil
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from roost_agent.install import installers

ROOT = Path(__file__).parents[2]
PROGRAMS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
SCRIPTS = [
    *sorted(ROOT.glob("packaging/*.sh")),
    *sorted(path for path in ROOT.glob("packaging/recipes/*.d/*")),
    *sorted(path for path in ROOT.glob("packaging/recipes/installers/*")),
]
KINDS = [
    each.name
    for each in pkgutil.iter_modules(installers.__path__)
    if "serve(" in Path(installers.__path__[0], f"{each.name}.py").read_text()
    and each.name != "speak"
]


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_program_says_how_it_is_used(name, monkeypatch, capsys):
    module, _, function = PROGRAMS[name].partition(":")
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    monkeypatch.setattr("os._exit", sys.exit)
    with pytest.raises(SystemExit) as ended:
        sys.exit(getattr(importlib.import_module(module), function)())
    assert ended.value.code in {0, None}
    assert f"usage: {name}" in capsys.readouterr().out.replace("Usage", "usage")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_each_script_says_how_it_is_used_and_does_nothing(path):
    words = ["sh", str(path), "--help"]
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ")
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize("kind", KINDS)
def test_each_installer_of_ours_says_how_it_is_used(kind, monkeypatch, capsys):
    module = f"roost_agent.install.installers.{kind}"
    monkeypatch.setattr(sys, "argv", [kind, "--help"])
    monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(module, run_name="__main__")
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage: INSTALLER VERB")
