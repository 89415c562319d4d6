"""Puts the two roots of trust of releases there, once a box is a node.

That of images came with the installation; a box without it is a node all the same, and installs
nothing. A child does it (`roost-agent verify anchor`), as root: another user may not write there.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

IMAGE_ROOT: Final = Path("/etc/roost/image-root.json")
TRUST_DIR: Final = Path("/var/lib/roost-trust")
KEPT: Final = "state.json"
ANCHOR_S_MAX: Final = 120.0  # it asks the centre for the director's root


def anchor(state_dir: Path, image_root: Path, trust_dir: Path) -> str:
    """Return in a sentence what came of it; empty: there was nothing to do."""
    if os.geteuid() != 0 or not image_root.is_file() or (trust_dir / KEPT).exists():
        return ""
    words = [
        sys.executable, "-m", "roost_agent", "verify", "anchor", "--state-dir", str(state_dir),
        "--image-root", str(image_root), "--trust-dir", str(trust_dir),
    ]  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603 - our own program, no shell
            words, capture_output=True, text=True, check=False, timeout=ANCHOR_S_MAX
        )
    except (OSError, subprocess.TimeoutExpired) as err:
        return f"no roots of trust yet: {err}: as root, roost-agent verify anchor"
    if done.returncode:
        why = done.stderr.strip().splitlines()[-1:] or ["no reason was told"]
        return f"no roots of trust yet: {why[0]}: as root, roost-agent verify anchor"
    return f"releases are judged by {image_root}"
