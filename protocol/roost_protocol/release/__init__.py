"""Releases: what a bundle's manifest says, and what bounds it has (docs/updates.md)."""
