"""Installs another host of the site anew, from an image in its board controller's virtual drive."""
