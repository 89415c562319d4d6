"""Names of the folders that both repositories are kept in (releases/store.py)."""

from typing import Final

FOLDER: Final = "releases"  # of the data directory
IMAGE, DIRECTOR, SITES = "image", "director", "sites"
MANIFESTS, INCOMING = "manifests", "incoming"
OFFLINE: Final = "image-offline"
METADATA: Final = "metadata"
