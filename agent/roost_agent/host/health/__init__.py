"""Health scripts: what an operator wants to be true of a node before and while it serves."""
