"""Dead letters: the cap on their share, and the commands to read and redrive them."""
