"""What intake rules, as pure functions. Time, keys and the directory come in as arguments."""
