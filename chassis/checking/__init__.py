"""What a program needs and whether it is there: asked before it starts, and nothing is changed by asking."""
