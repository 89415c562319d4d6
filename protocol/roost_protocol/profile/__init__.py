"""What a node may be told to be: the closed schema of settings, and the document that holds them.

Centre, signer and node read the same tables. No field carries a command, a path, a unit's name or
a login key: who has taken the centre can choose among settings, and run nothing.
"""
