"""The dashboard's bytes: the hashed prefix, the twins, and no way out of the tree."""

import re
from importlib.resources import files

import pytest

from roost_central.dashboard.serve import (
    CONTENT_TYPES,
    POLICY,
    TREE_BYTES_MAX,
    AssetTreeError,
    Dashboard,
)

PAGE = b'<link rel="stylesheet" href="/static/tree/css/a.css">'


def tree(**more: bytes) -> dict[str, bytes]:
    return {"index.html": PAGE, "css/a.css": b"a{}", **more}


def test_the_index_points_into_the_hashed_tree():
    dashboard = Dashboard(tree())
    expected = f'href="/static/{dashboard.tree_hash}/css/a.css"'
    assert expected.encode() in dashboard.index()


def test_a_changed_file_gives_another_address():
    assert Dashboard(tree()).tree_hash != Dashboard({**tree(), "css/a.css": b"b{}"}).tree_hash


def test_a_renamed_file_gives_another_address():
    renamed = {"index.html": PAGE, "css/b.css": b"a{}"}
    assert Dashboard(tree()).tree_hash != Dashboard(renamed).tree_hash


def test_the_order_of_files_and_their_twins_do_not_move_the_address():
    plain = Dashboard(tree()).tree_hash
    assert Dashboard(dict(reversed(tree().items()))).tree_hash == plain
    assert Dashboard({**tree(), "css/a.css.gz": b"twin"}).tree_hash == plain


def test_an_asset_brings_its_type_and_its_twin_where_the_wheel_has_one():
    asset = Dashboard({**tree(), "css/a.css.gz": b"twin"}).asset("css/a.css")
    assert asset is not None
    assert (asset.body, asset.content_type) == (b"a{}", "text/css; charset=utf-8")
    assert asset.gzipped == b"twin"
    without = Dashboard(tree()).asset("css/a.css")
    assert without is not None
    assert without.gzipped is None


@pytest.mark.parametrize(
    "path", ["", "../serve.py", "/etc/passwd", "css/../css/a.css", "css/a.css.gz", "nope.js"]
)
def test_only_the_exact_path_of_a_file_in_the_tree_is_served(path):
    assert Dashboard({**tree(), "css/a.css.gz": b"twin"}).asset(path) is None


def test_a_file_of_an_unknown_kind_is_not_served():
    assert Dashboard({**tree(), "vendor/vendor.lock": b"{}"}).asset("vendor/vendor.lock") is None


def test_a_package_without_its_pages_says_so():
    with pytest.raises(AssetTreeError, match=r"index\.html is missing"):
        Dashboard({})


def test_a_tree_past_the_bound_is_refused():
    with pytest.raises(AssetTreeError, match=str(TREE_BYTES_MAX)):
        Dashboard({**tree(), "app/big.js": bytes(TREE_BYTES_MAX)})


def test_the_policy_allows_no_inline_code_and_one_trusted_types_policy():
    assert "unsafe" not in POLICY
    assert "require-trusted-types-for 'script'" in POLICY
    assert "trusted-types roost" in POLICY


def test_the_installed_tree_has_every_asset_that_its_modules_import():
    dashboard = Dashboard.load()
    static = files("roost_central.dashboard") / "static"
    for folder in ("app", "vendor"):
        for path in _modules(static / folder, folder):
            asset = dashboard.asset(path)
            assert asset is not None
            for target in re.findall(rb'from\s*"([^"]+)"', asset.body):
                assert dashboard.asset(_resolve(path, target.decode())), f"{path}: {target}"


def test_every_kind_of_file_in_the_tree_has_a_content_type():
    dashboard = Dashboard.load()
    assert dashboard.asset("index.html")
    assert {"js", "css", "html"} <= CONTENT_TYPES.keys()


def _modules(folder, prefix):
    for entry in folder.iterdir():
        path = f"{prefix}/{entry.name}"
        if entry.is_dir():
            yield from _modules(entry, path)
        elif entry.name.endswith(".js"):
            yield path


def _resolve(path: str, target: str) -> str:
    parts = path.split("/")[:-1]
    for part in target.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
