"""Who is there: presence of nodes, state of paths, status of sites, from beats and silence."""
