"""Orders to nodes: people place and approve them, the signer signs them, nodes take them."""
