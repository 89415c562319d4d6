"""What nodes should be: reviewed files of settings, merged into one document for each node."""
