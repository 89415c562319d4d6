"""The agent of roost: runs on every node, discovers it, and says so over every path it has."""
