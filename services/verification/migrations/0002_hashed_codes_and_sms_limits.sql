-- Codes are random; what is kept is a slow hash, peppered with the service's key. The newest two count.
ALTER TABLE phone_codes
    ADD COLUMN code_salt bytea,
    ADD COLUMN code_digest bytea,
    ADD COLUMN code_expires_at timestamptz,
    ADD COLUMN earlier_digest bytea,
    ADD COLUMN earlier_expires_at timestamptz;

ALTER TABLE sms_queue ADD COLUMN origin text;  -- keyed digest of the address block, where intake knows it

-- SMS of a city day by scope: 'all' (no key), 'origin' (no key: unknown), 'phone' (edition and pseudonym), and 'withheld'
-- by the hour. Rows of days gone by are deleted.
CREATE TABLE sms_spent (
    day date NOT NULL,
    scope text NOT NULL CHECK (scope IN ('all', 'origin', 'phone', 'withheld')),
    key text NOT NULL DEFAULT '',
    number integer NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (day, scope, key)
);
