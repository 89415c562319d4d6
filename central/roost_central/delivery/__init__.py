"""What nodes should be, brought to them: when a node is told, and what it says of it."""
