"""A day of what the node measured, by minute: kept in a few files, told to whom asks."""
