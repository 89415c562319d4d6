"""The skip policy of tests/conftest.py, tried on a small suite of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"


def run_suite(folder: Path, source: str, *, ci: bool) -> tuple[int, str]:
    shutil.copy(CONFTEST, folder)
    (folder / "test_small.py").write_text(source)
    environ = {name: value for name, value in os.environ.items() if name != "CI"}
    environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # three times faster to start
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-q",
            "--rootdir",
            folder,
            folder,
        ],
        env=environ | ({"CI": "true"} if ci else {}),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=25,
    )
    return done.returncode, done.stdout


def skipping(reason: str) -> str:
    return f"import pytest\n\ndef test_one():\n    pytest.skip({reason!r})\n"


def test_an_unexpected_skip_fails_in_ci_and_says_why(tmp_path):
    code, output = run_suite(tmp_path, skipping("mosquitto absent"), ci=True)
    assert code == 1
    assert "unexpected skip in CI: mosquitto absent" in output


def test_the_same_skip_passes_on_a_developers_machine(tmp_path):
    code, output = run_suite(tmp_path, skipping("mosquitto absent"), ci=False)
    assert code == 0
    assert "1 skipped" in output


def test_an_expected_skip_passes_in_ci(tmp_path):
    code, output = run_suite(tmp_path, skipping("corpora absent: hwloc"), ci=True)
    assert code == 0
    assert "1 skipped" in output


@pytest.mark.parametrize(
    "source",
    [
        "import pytest\npytest.skip('no chromium', allow_module_level=True)\n",
        "import pytest\npytest.importorskip('no_such_module')\n",
        "import pytest\n\n@pytest.mark.skipif(True, reason='no root')\ndef test_one(): pass\n",
    ],
    ids=["a module's skip", "importorskip", "skipif"],
)
def test_every_way_to_skip_is_seen(tmp_path, source):
    code, output = run_suite(tmp_path, source, ci=True)
    assert code != 0
    assert "unexpected skip in CI" in output


def test_an_expected_failure_is_no_skip(tmp_path):
    source = "import pytest\n\n@pytest.mark.xfail\ndef test_one(): assert False\n"
    code, output = run_suite(tmp_path, source, ci=True)
    assert code == 0
    assert "1 xfailed" in output
