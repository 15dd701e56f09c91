-- Who may write for a partition of rating-submissions: only the newest epoch.
CREATE TABLE partitions (
    partition integer PRIMARY KEY,
    epoch bigint NOT NULL DEFAULT 1,
    expiries bigint NOT NULL DEFAULT 0  -- rounds of expiries so far
);

-- What stands for each rating, and which message or round of expiries made it so.
CREATE TABLE ratings (
    rating_id uuid PRIMARY KEY,
    submission_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('phone_code_needed', 'accepted', 'rejected')),
    reason text,
    assurance text,
    decided_at timestamptz NOT NULL,
    source_partition integer NOT NULL,
    source_offset bigint,
    source_expiry bigint,
    CHECK ((status = 'rejected') = (reason IS NOT NULL)),
    CHECK ((source_offset IS NULL) <> (source_expiry IS NULL))
);
CREATE INDEX ratings_expired ON ratings (source_partition, source_expiry) WHERE source_expiry IS NOT NULL;

-- What only one rating can have.
CREATE TABLE idempotency_tokens (
    token bytea PRIMARY KEY,
    rating_id uuid NOT NULL
);
CREATE TABLE used_challenges (
    nonce bytea PRIMARY KEY,
    rating_id uuid NOT NULL
);
CREATE TABLE slots (
    pseudonym bytea NOT NULL,
    officer_id text NOT NULL,
    edition_id text NOT NULL,
    window_number integer NOT NULL,
    rating_id uuid NOT NULL,
    PRIMARY KEY (pseudonym, officer_id, edition_id, window_number)
);

-- Ratings that a phone code was asked for; what their outcome will say. The code itself is stored nowhere.
CREATE TABLE phone_codes (
    rating_id uuid PRIMARY KEY REFERENCES ratings,
    partition integer NOT NULL,
    awaiting boolean NOT NULL DEFAULT true,
    expires_at timestamptz NOT NULL,
    tries_left smallint NOT NULL,
    rated text NOT NULL,
    pseudonym bytea NOT NULL,
    officer_id text NOT NULL,
    edition_id text NOT NULL,
    window_number integer NOT NULL
);
CREATE INDEX phone_codes_awaiting ON phone_codes (partition, expires_at) WHERE awaiting;

CREATE TABLE phone_code_tries (
    event_id uuid PRIMARY KEY,
    rating_id uuid NOT NULL REFERENCES ratings
);

-- SMS still to be sent. The phone stays sealed; the text is made when it is sent.
CREATE TABLE sms_queue (
    rating_id uuid PRIMARY KEY REFERENCES ratings,
    key_id text NOT NULL,
    box text NOT NULL,
    language text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    next_attempt_at timestamptz NOT NULL
);
CREATE INDEX sms_queue_next ON sms_queue (next_attempt_at);
