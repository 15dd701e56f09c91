"""Pages of reference that are written from the code: docs/settings.md and docs/metrics.md."""
