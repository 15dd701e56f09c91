# A password for each database role, made once: in the key volume of whoever comes as that role, and as SQL for the
# server. Runs as root, to give each volume to its owner. A password whose file is removed is made anew.
set -eu
umask 077
app=10001 postgres=999

password() { # of the role $1, in the volume $2
    file=/volumes/$2/$1.pgpass
    if [ ! -s "$file" ]; then
        secret=$(od -An -v -N24 -tx1 /dev/urandom | tr -d ' \n')
        echo "*:*:*:$1:$secret" >"$file.new"
        mv "$file.new" "$file"
    fi
    echo "ALTER ROLE $1 PASSWORD '$(cut -d: -f5 "$file")';"
}

{
    password verification_owner owner-keys
    password verification_app verification-keys
    password aggregation_owner owner-keys
    password aggregation_worker aggregation-worker-keys
    password aggregation_api aggregation-keys
} >/volumes/role-passwords/passwords.sql
chown -R $app:$app /volumes/*-keys /volumes/outbox
chown -R $postgres:$postgres /volumes/role-passwords
