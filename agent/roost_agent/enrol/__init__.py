"""Becoming a node: commands that ask the centre for an identity and exit.

Nothing here is imported by the resident agent: ``cryptography`` costs 8 to 16 MiB.
"""
