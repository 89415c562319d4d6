"""Local high availability: who of a site runs what, decided by the site alone."""
