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
        if version != "standard":
            return
        folder = Path(tempfile.mkdtemp(prefix="roost-gzip-"))
        for index, asset in enumerate(sorted((Path(self.root) / STATIC).rglob("*"))):
            if asset.suffix not in SUFFIXES:
                continue
            twin = folder / f"{index}.gz"
            twin.write_bytes(gzip.compress(asset.read_bytes(), compresslevel=9, mtime=0))
            inside = asset.relative_to(Path(self.root) / "central")
            build_data["force_include"][str(twin)] = f"{inside}.gz"
