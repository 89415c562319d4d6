"""The settings of the profiles on a node: applied whole, verified, or undone.

What decides (core.py, plan.py) and the sections are read by two programs: ``roost-config``, root's
one-shot, applies; the agent looks for drift and tells the centre.
"""
