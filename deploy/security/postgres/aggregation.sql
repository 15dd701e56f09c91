-- Who may do what in aggregation's database. Apply it as a superuser, in that database, before the first migration and
-- as often afterwards as you like:
--
--   createdb aggregation && psql -d aggregation -v ON_ERROR_STOP=1 -1 -f aggregation.sql
--
-- Passwords are set outside, each by `\password ROLE`. Migrations run as aggregation_owner, and so does whatever makes
-- or renames a schema (a rebuild swaps `read_models` with its sibling); the worker as aggregation_worker, which writes
-- rows; the API as aggregation_api, which only reads them, and writes in `reports` alone. LISTEN
-- needs no right of its own.
DO $$
DECLARE role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['aggregation_owner', 'aggregation_worker', 'aggregation_api'] LOOP
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
    EXECUTE format('GRANT CREATE ON DATABASE %I TO aggregation_owner', current_database());
END $$;

-- Nothing of the services is in `public`, but for the list of applied migrations.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO aggregation_owner;

-- What migrations and rebuilds will make, in whichever schema.
ALTER DEFAULT PRIVILEGES FOR ROLE aggregation_owner GRANT USAGE ON SCHEMAS TO aggregation_worker, aggregation_api;
ALTER DEFAULT PRIVILEGES FOR ROLE aggregation_owner
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO aggregation_worker;
ALTER DEFAULT PRIVILEGES FOR ROLE aggregation_owner GRANT USAGE ON SEQUENCES TO aggregation_worker;
ALTER DEFAULT PRIVILEGES FOR ROLE aggregation_owner GRANT SELECT ON TABLES TO aggregation_api;

-- Made here, for rights within one schema want it to be there.
CREATE SCHEMA IF NOT EXISTS reports AUTHORIZATION aggregation_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE aggregation_owner IN SCHEMA reports
    GRANT INSERT, UPDATE, DELETE ON TABLES TO aggregation_api;

-- What they have made.
DO $$
DECLARE made text;
BEGIN
    FOR made IN SELECT nspname FROM pg_namespace WHERE nspowner = 'aggregation_owner'::regrole LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO aggregation_worker, aggregation_api', made);
        EXECUTE format(
            'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO aggregation_worker', made
        );
        EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO aggregation_worker', made);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO aggregation_api', made);
    END LOOP;
    GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA reports TO aggregation_api;
END $$;
