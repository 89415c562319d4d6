"""``roost-guard``: stops exclusive services by deadline, whatever becomes of the agent.

A program of its own, of the standard library alone and without dataclasses: with its memory locked
it must stay small (12 MiB).
"""
