#!/bin/sh
# Who may do what on Kafka; what is not allowed here is denied. Generated from the topic catalogue by
# `make acls`. Apply it as an administrator, as often as you like:
#
#   BOOTSTRAP=broker:9093 COMMAND_CONFIG=admin.properties sh kafka-acls.sh
#
# KAFKA_ACLS names Kafka's tool where it is not on the PATH. Nothing is taken away: compare with
# `kafka-acls.sh --list`, and remove by hand what is no longer here.
set -eu

allow() {
    principal=$1
    shift
    "${KAFKA_ACLS:-kafka-acls.sh}" --bootstrap-server "$BOOTSTRAP" --command-config "$COMMAND_CONFIG" \
        --add --allow-principal "User:$principal" "$@"
}

allow aggregation --operation Write --topic rating-outcomes-dlt
allow intake --operation Write --topic rating-submissions --topic directory --topic office-actions --topic directory-dlt
allow verification --operation Write --topic rating-outcomes --topic rating-submissions-dlt
allow aggregation --operation Read --topic rating-outcomes --topic directory
allow intake --operation Read --topic rating-submissions --topic directory --topic office-actions --topic directory-dlt
allow operators --operation Read --topic rating-submissions-dlt --topic rating-outcomes-dlt --topic directory-dlt
allow verification --operation Read --topic rating-submissions --topic directory
allow intake --operation DescribeConfigs --topic rating-submissions --topic rating-submissions-dlt
allow verification --operation Read --group verification
allow aggregation --operation Read --group aggregation
allow intake --operation Write --transactional-id intake-directory
allow verification --operation Write --transactional-id verification-rating-submissions- --resource-pattern-type prefixed
allow operators --operation Write --topic rating-submissions --topic rating-submissions-dlt --topic rating-outcomes --topic rating-outcomes-dlt
allow operators --operation Write --transactional-id redrive-rating-submissions-dlt --transactional-id redrive-rating-outcomes-dlt
allow operators --operation Create --operation Describe --operation DescribeConfigs --operation AlterConfigs --topic rating-submissions --topic rating-outcomes --topic directory --topic office-actions --topic rating-submissions-dlt --topic rating-outcomes-dlt --topic directory-dlt
allow scaling --operation Describe --group verification --group aggregation
allow scaling --operation Describe --topic rating-submissions --topic rating-outcomes
