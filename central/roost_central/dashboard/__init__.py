"""The console's pages: hand-written ES modules under ``static/``, and the bytes to serve them."""
