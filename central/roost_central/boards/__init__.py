"""Board controllers as operators set them: kept closed, told to the nodes of their site."""
