"""What verification decides, as pure functions. Time, chance and facts come in as arguments."""
