"""What cannot be made again, as files, and back: topics, databases, keys. See docs/backup.md."""
