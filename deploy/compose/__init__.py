"""What deploy/compose.yaml mounts into its jobs and servers."""
