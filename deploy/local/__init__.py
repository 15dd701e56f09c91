"""The whole system on one machine: real Kafka and PostgreSQL from package registries, and a supervisor."""
