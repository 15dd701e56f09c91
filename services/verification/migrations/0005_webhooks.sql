-- Portals that want to be told of the outcomes of what they posted. A secret is made of the service's key and a salt.
CREATE TABLE webhook_endpoints (
    client_id text PRIMARY KEY,
    url text NOT NULL,
    salt bytea NOT NULL,
    previous_salt bytea,
    previous_until timestamptz,
    added_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE ratings ADD COLUMN client_id text;  -- whose key it came with

-- Outcomes still to be told, written with the decision; gone once told, or with the rating. No reference to the
-- endpoint: that one is removed may never stand in a decision's way.
CREATE TABLE webhook_outbox (
    rating_id uuid PRIMARY KEY REFERENCES ratings ON DELETE CASCADE,
    client_id text NOT NULL,
    status text NOT NULL CHECK (status IN ('accepted', 'rejected')),
    reason text,
    decided_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    since timestamptz NOT NULL DEFAULT now(),
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    last_failure text,
    set_aside_at timestamptz
);
CREATE INDEX webhook_outbox_due ON webhook_outbox (client_id, next_attempt_at) WHERE set_aside_at IS NULL;
