"""The centre of roost: takes in what every site reports, keeps it, shows it."""
