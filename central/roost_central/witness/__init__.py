"""The witness of sites with two voters: a third vote on their leases, given from the centre."""
