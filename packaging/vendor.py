"""Fetches the dashboard's few libraries and writes them, with their lock, into the source tree.

Run it by hand to move a version: ``python packaging/vendor.py``. Bare imports become relative
ones, because an import map would be an inline script, which the content policy forbids. The lock
says what was fetched and the hash of each file kept; tests/repo/test_vendor_lock.py holds it.
"""

import base64
import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).parents[1] / "central/roost_central/dashboard/static/vendor"

# package -> exact version, {file in the package: file here}
PACKAGES: dict[str, tuple[str, dict[str, str]]] = {
    "preact": (
        "10.29.8",
        {
            "dist/preact.module.js": "preact.js",
            "hooks/dist/hooks.module.js": "preact-hooks.js",
            "LICENSE": "preact.LICENSE.txt",
        },
    ),
    "htm": ("3.1.1", {"dist/htm.module.js": "htm.js", "LICENSE": "htm.LICENSE.txt"}),
    "uplot": (
        "1.6.32",
        {
            "dist/uPlot.iife.min.js": "uplot.js",  # its module is not minified
            "dist/uPlot.min.css": "uplot.css",
            "LICENSE": "uplot.LICENSE.txt",
        },
    ),
}
GLOBALS = {"uplot.js": "uPlot"}  # scripts that set a name: it becomes the module's one export
RELATIVE = {"preact": "./preact.js"}


def main() -> None:
    """Fetch every package and write the files and the lock."""
    lock: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="roost-vendor-") as folder:
        for name, (version, wanted) in PACKAGES.items():
            lock[name] = _vendor(name, version, wanted, into=Path(folder))
    (VENDOR / "vendor.lock").write_text(json.dumps(lock, indent=2) + "\n")


def _vendor(name: str, version: str, wanted: dict[str, str], *, into: Path) -> dict[str, object]:
    packed = subprocess.run(
        ["npm", "pack", "--json", f"{name}@{version}"],
        cwd=into,
        check=True,
        capture_output=True,
        timeout=120,
    )
    facts = json.loads(packed.stdout)[0]
    tarball = into / facts["filename"]
    _check_integrity(tarball, facts["integrity"])
    hashes = {}
    with tarfile.open(tarball) as archive:
        licence = json.loads(_member(archive, "package.json"))["license"]
        for source, target in wanted.items():
            content = _rewrite(_member(archive, source), target)
            (VENDOR / target).write_bytes(content)
            hashes[target] = hashlib.sha256(content).hexdigest()
    return {
        "version": version,
        "licence": licence,
        "integrity": facts["integrity"],
        "sha256": hashes,
    }


def _check_integrity(tarball: Path, integrity: str) -> None:
    digest = hashlib.sha512(tarball.read_bytes()).digest()
    if integrity != f"sha512-{base64.b64encode(digest).decode()}":
        raise SystemExit(f"{tarball.name} is not what {integrity} says")


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    stream = archive.extractfile(f"package/{name}")
    if stream is None:
        raise SystemExit(f"{name} is not a file of the package")
    return stream.read()


def _rewrite(content: bytes, target: str) -> bytes:
    """Point bare imports at the files here; drop the pointer to a source map, and addresses."""
    if not target.endswith((".js", ".css")):
        return content
    text = re.sub(r"\n?//# sourceMappingURL=\S+\s*$", "", content.decode())
    text = re.sub(r'(from\s*)"([^"./][^"]*)"', lambda m: f'{m[1]}"{RELATIVE[m[2]]}"', text)
    text = re.sub(r"/\*! https://\S+ \(v[0-9.]+\) \*/\n", "", text)  # the licence stands beside it
    if target in GLOBALS:
        text = f"{text.rstrip()}\nexport default {GLOBALS[target]};"
    return (text.rstrip() + "\n").encode()


if __name__ == "__main__":
    main()
