"""Hatchling build hook: ships a .gz twin of each text asset of the dashboard in the wheel.

The twins are made at build time and never committed, since a stale twin in a checkout would be
served instead of the edited file. ``mtime=0`` keeps two builds of one tree byte for byte equal.
"""

import gzip
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STATIC = Path("central/roost_central/dashboard/static")
SUFFIXES = {".js", ".css", ".html", ".json", ".svg"}


class GzipTwins(BuildHookInterface):  # type: ignore[type-arg] # generic only in newer hatchling
    """Adds ``x.js.gz`` beside each ``x.js``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the twins to a temporary folder and name them to the wheel builder."""
        if version != "standard":  # an editable install serves the sources as they are
            return
        root = Path(self.root)
        # Kept until the builder has read the twins; removed with this hook object at the latest.
        self._folder = tempfile.TemporaryDirectory(prefix="roost-gzip-")
        for index, asset in enumerate(sorted((root / STATIC).rglob("*"))):
            if asset.suffix not in SUFFIXES:
                continue
            twin = Path(self._folder.name) / f"{index}.gz"
            twin.write_bytes(gzip.compress(asset.read_bytes(), compresslevel=9, mtime=0))
            inside = asset.relative_to(root / "central")
            build_data["force_include"][str(twin)] = f"{inside}.gz"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - the interface's
        """Remove the temporary folder."""
        if version == "standard":
            self._folder.cleanup()
