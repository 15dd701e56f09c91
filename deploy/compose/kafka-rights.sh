# Kafka's accounts and rights, as often as you like. Runs as the brokers themselves: by their certificate, which no
# service has. Kafka's tools are named by their classes: the scripts around them differ from image to image.
set -eu
java=$(command -v java || find /opt /usr -name java -path '*/bin/java' -type f 2>/dev/null | head -n 1)
cat >/tmp/admin.properties <<PROPERTIES
security.protocol=SSL
ssl.keystore.type=PEM
ssl.keystore.location=/tls/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location=/tls/ca.pem
PROPERTIES
tool() { # named $1, of the class $2; its classes are read once, from an archive that the first run leaves
    printf '#!/bin/sh\nexec %s -Xmx128m -XX:+AutoCreateSharedArchive -XX:SharedArchiveFile=/tmp/%s.jsa -cp "/opt/kafka/libs/*" %s "$@"\n' \
        "$java" "$1" "$2" >"/tmp/$1"
    chmod 0700 "/tmp/$1"
}
tool acls org.apache.kafka.tools.AclCommand
tool configs kafka.admin.ConfigCommand

for principal in intake verification aggregation operators; do
    /tmp/configs --bootstrap-server kafka:9094 --command-config /tmp/admin.properties --alter \
        --entity-type users --entity-name "$principal" --add-config-file "/accounts/$principal.properties"
done
BOOTSTRAP=kafka:9094 COMMAND_CONFIG=/tmp/admin.properties KAFKA_ACLS=/tmp/acls sh /kafka-acls.sh
