"""Releases at the centre and on the desks of who signs them (docs/releases.md)."""
