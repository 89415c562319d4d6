"""Samples of nodes: what was told by itself, and what is asked for when somebody looks."""
