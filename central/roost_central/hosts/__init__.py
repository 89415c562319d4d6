"""Hosts as the centre knows them: what coordinators tell of their states.

Leaves the states themselves to each site's coordinator.
"""
