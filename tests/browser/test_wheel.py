"""The wheel brings the whole console: every asset, and the gzip twins that are small enough."""

import gzip
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "central/roost_central/dashboard/static"
PAGE_GZ_BYTES_MAX = 100_000
ALL_GZ_BYTES_MAX = 240_000  # each page comes when it is opened: the first has a bound of its own


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        timeout=110,
    )
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        yield archive


def test_every_asset_is_in_the_wheel_byte_for_byte(wheel):
    for path in STATIC.rglob("*"):
        if path.is_file():
            inside = path.relative_to(ROOT / "central").as_posix()
            assert wheel.read(inside) == path.read_bytes(), inside


def test_every_twin_unpacks_to_its_asset(wheel):
    twins = [name for name in wheel.namelist() if name.endswith(".gz")]
    assert any(name.endswith("app/main.js.gz") for name in twins)
    for name in twins:
        assert gzip.decompress(wheel.read(name)) == wheel.read(name.removesuffix(".gz")), name


def packed(wheel, path):
    """Return the bytes that a browser is sent for an asset."""
    name = f"roost_central/dashboard/static/{path}"
    twin = f"{name}.gz"
    return wheel.getinfo(twin if twin in wheel.namelist() else name).file_size


def first_page(path="app/main.js"):
    """Return the modules that the first page waits for: all but those imported when opened."""
    found, waiting = set(), [path]
    while waiting:
        here = waiting.pop()
        if here not in found:
            found.add(here)
            text = (STATIC / here).read_text()
            names = re.findall(r'(?:from|^import) "(\..*?)"', text, re.MULTILINE)
            waiting += [os.path.normpath(f"{Path(here).parent}/{name}") for name in names]
    return found


def test_the_first_page_stays_under_the_page_weight(wheel):
    modules = first_page()
    assert "app/fleet/page.js" in modules
    assert "app/alarms/page.js" not in modules
    sheets = {path.relative_to(STATIC).as_posix() for path in STATIC.glob("css/*.css")}
    total = sum(packed(wheel, path) for path in {*modules, *sheets, "index.html"})
    assert total < PAGE_GZ_BYTES_MAX


def test_all_assets_together_stay_under_their_bound(wheel):
    names = [path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()]
    shown = [name for name in names if not name.endswith((".txt", ".lock"))]
    assert sum(packed(wheel, name) for name in shown) < ALL_GZ_BYTES_MAX
