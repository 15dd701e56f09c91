"""What the services agree on: events, their envelope, the topics they travel on. Pure: no I/O."""
