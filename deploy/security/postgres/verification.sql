-- Who may do what in verification's database. Apply it as a superuser, in that database, before the first migration
-- and again after each; it may be applied as often as you like:
--
--   createdb verification && psql -d verification -v ON_ERROR_STOP=1 -1 -f verification.sql
--
-- Passwords are set outside, each by `\password ROLE`. Migrations run as verification_owner; the worker and the API as
-- verification_app, which reads and writes rows and can neither make, change nor drop a table.
DO $$
DECLARE role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['verification_owner', 'verification_app'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I', role);
        END IF;
        EXECUTE format(
            'ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', role
        );
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
    END LOOP;
    -- Neither to come in nor to make temporary tables, unless granted.
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
END $$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO verification_owner;
GRANT USAGE ON SCHEMA public TO verification_app;

-- What migrations will make.
ALTER DEFAULT PRIVILEGES FOR ROLE verification_owner
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO verification_app;
ALTER DEFAULT PRIVILEGES FOR ROLE verification_owner GRANT USAGE ON SEQUENCES TO verification_app;

-- What they have made.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO verification_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO verification_app;
DO $$
BEGIN
    IF to_regclass('public.schema_migrations') IS NOT NULL THEN
        REVOKE ALL ON public.schema_migrations FROM verification_app;
    END IF;
END $$;
