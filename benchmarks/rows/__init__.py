"""A module for each row of docs/performance.md. `measure` fills the row; what it raises ends it alone."""
