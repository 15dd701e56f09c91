"""Clients of the public APIs, in Python and TypeScript, made of the services' own OpenAPI documents."""
