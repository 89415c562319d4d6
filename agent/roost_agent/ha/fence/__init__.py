"""Fencing: another node is off, and known to be, before its services run anywhere else."""
