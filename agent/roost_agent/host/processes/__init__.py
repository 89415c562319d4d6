"""Programs that must run: who says so, whether they do, and starting them anew."""
