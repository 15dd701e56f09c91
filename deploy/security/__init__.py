"""What operators apply to Kafka and PostgreSQL so that each service can do its own work and nothing else."""
