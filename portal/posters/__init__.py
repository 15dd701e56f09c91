"""Posters and desk cards: a code that leads to an officer's rating form, and the sheets it is printed on."""
