"""What the system costs, measured beside itself: each command prints figures and judges none."""
