"""The wheel brings the whole console: every asset, and the gzip twins that are small enough."""

import gzip
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "central/roost_central/dashboard/static"
PAGE_GZ_BYTES_MAX = 100_000


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


def test_all_assets_together_stay_under_the_page_weight(wheel):
    sizes = [
        wheel.getinfo(name).file_size
        for name in wheel.namelist()
        if name.endswith(".gz") and not name.endswith(".txt.gz")
    ]
    assert 0 < sum(sizes) < PAGE_GZ_BYTES_MAX
