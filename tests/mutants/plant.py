"""Plants faults in a copy of the tree, one at a time, and sees to it that a test notices each.

``python tests/mutants/plant.py [-k WORD]``. A mutant is *caught* when the test named with it passes
on the untouched copy and fails on the changed one; anything else is a failure: it survives, does
not apply any more, breaks the test's collection, or outlasts its budget.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mutant import ROOT, DoesNotApplyError, Mutant, mutants

PARTS = ("agent", "central", "protocol", "tests", "packaging", "docs", "pyproject.toml")
SOURCES = ("agent", "central", "protocol")
BUDGET_S = 300.0  # of a test on the untouched copy
TESTS_FAILED = 1  # pytest's exit status; others say that the test was not run at all


class Copy:
    """A copy of the tree that is imported in place of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", ".*_cache")
                shutil.copytree(source, root / part, ignore=ignored)
            elif source.exists():
                shutil.copy(source, root / part)
        self._environ = os.environ | {
            "PYTHONPATH": os.pathsep.join(str(root / part) for part in SOURCES),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._passed: dict[str, bool] = {}
        self._check_imports()

    def fault(self, mutant: Mutant) -> str:
        """Return why the mutant counts as not caught; empty where its test failed as it must."""
        try:
            if not self._passes_untouched(mutant.test):
                return f"{mutant.test} fails without it too"
            before = mutant.apply(self.root)
        except DoesNotApplyError as err:
            return f"does not apply: {err}"
        try:
            status = self._pytest(mutant.test, mutant.budget_s)
        finally:
            for path, text in before.items():
                path.write_text(text)
        if status is None:
            return f"nothing within {mutant.budget_s:g} s"
        if status != TESTS_FAILED:
            return "survives" if status == 0 else f"pytest ends with {status}: not run at all"
        return ""

    def _passes_untouched(self, test: str) -> bool:
        if test not in self._passed:
            self._passed[test] = self._pytest(test, BUDGET_S) == 0
        return self._passed[test]

    def _pytest(self, test: str, budget_s: float) -> int | None:
        options = ["-q", "-x", "-p", "no:cacheprovider", "-m", "not soak"]
        try:
            done = self._python("-m", "pytest", *options, test, timeout=budget_s)
        except subprocess.TimeoutExpired:
            return None
        return done.returncode

    def _python(self, *argv: str, timeout: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *argv],
            cwd=self.root,
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )

    def _check_imports(self) -> None:
        """Look where the products come from: a fault in a file nobody imports proves nothing."""
        names = "roost_agent, roost_central, roost_protocol"
        code = f"import {names}\nprint(*[m.__file__ for m in ({names})])"
        places = self._python("-c", code, timeout=30).stdout.split()
        if len(places) != len(SOURCES) or not all(
            Path(place).is_relative_to(self.root) for place in places
        ):
            raise RuntimeError(f"the copy is not what is imported: {places}")


@contextmanager
def copy() -> Iterator[Copy]:
    """Give a copy that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="roost-mutants-") as folder:
        yield Copy(Path(folder).resolve())


def faults(chosen: Iterable[Mutant]) -> Iterator[tuple[Mutant, str]]:
    """Plant one after the other; yield each with why it was not caught, or nothing."""
    with copy() as tree:
        for mutant in chosen:
            yield mutant, tree.fault(mutant)


def main() -> int:
    """Run the chosen mutants; 1 when one was not caught."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-k", metavar="WORD", default="", help="of a set's or mutant's name")
    asked = parser.parse_args()
    chosen = [
        each for each in mutants() if re.search(asked.k, f"{' '.join(each.sets)} {each.name}")
    ]
    missed = 0
    for mutant, why in faults(chosen):
        print(f"{mutant.group:12} {mutant.name:58} {why or 'caught'}", flush=True)
        missed += bool(why)
    print(f"{len(chosen) - missed} of {len(chosen)} caught")
    return 1 if missed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
