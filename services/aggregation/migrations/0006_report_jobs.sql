-- Reports made in the background. Not among the read models: a rebuild leaves it alone. The only table that the API writes.
CREATE SCHEMA IF NOT EXISTS reports;  -- where roles are apart, it was made with them
CREATE TABLE reports.job (
    job_id uuid PRIMARY KEY,
    asked jsonb NOT NULL,
    ordered_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    -- Who makes it, and until when nobody else does.
    taken_by uuid,
    lease_until timestamptz NOT NULL DEFAULT '-infinity',
    done integer NOT NULL DEFAULT 0,
    steps integer NOT NULL DEFAULT 0,
    ended_at timestamptz,
    -- Null once it has ended: it could not be made.
    file bytea,
    headers jsonb
);
-- The same report is made once for all who wait for it.
CREATE UNIQUE INDEX ON reports.job (asked) WHERE ended_at IS NULL;
CREATE INDEX ON reports.job (ended_at);
