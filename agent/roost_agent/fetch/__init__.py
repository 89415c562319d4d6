"""Fetches a release for this node, as the agent's user, in a child that exits.

What it brings is untrusted by root, which goes through all of it again (install/).
"""
