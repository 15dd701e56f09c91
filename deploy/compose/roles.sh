# Databases, roles and rights, as often as you like. Runs as PostgreSQL's superuser, by its socket.
set -eu
run() { psql --quiet --no-psqlrc -v ON_ERROR_STOP=1 "$@"; }

for database in verification aggregation; do
    run -d postgres <<SQL
SELECT 'CREATE DATABASE $database' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '$database') \gexec
SQL
    run -d $database -1 -f /rights/$database.sql
done
run -d postgres -f /role-passwords/passwords.sql
