"""What every process stands on: HTTP operations, problems, logs, owned tasks, Kafka and PostgreSQL clients.

A microservice chassis (docs/decisions/0002): it knows no service and holds no rule of the survey.
"""
