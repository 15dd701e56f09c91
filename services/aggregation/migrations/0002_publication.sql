-- Officers' figures are released in batches. What was counted before says nothing about releases, so everything is
-- folded again from the beginning of the log; revisions go on, so that open live streams notice nothing.
TRUNCATE read_models.tally, read_models.counted_submission, read_models.checkpoint, read_models.scope;

-- Of an officer in an edition: how much of `count` the public may see. Nothing keeps it up in other rows.
ALTER TABLE read_models.tally ADD COLUMN released bigint NOT NULL DEFAULT 0;

-- Of an officer these move with releases only; null before the first.
ALTER TABLE read_models.scope ALTER COLUMN updated_at DROP NOT NULL;

-- What of an officer's ratings is not released yet.
CREATE TABLE read_models.standing (
    officer_id text NOT NULL,
    edition_id text NOT NULL,
    accepted bigint NOT NULL,
    pending bigint NOT NULL,
    since date,
    last date,
    PRIMARY KEY (officer_id, edition_id)
) WITH (fillfactor = 70);

-- The policy of every edition there ever was: figures outlive the edition.
CREATE TABLE directory.publication (
    edition_id text PRIMARY KEY,
    officer_batch integer NOT NULL,
    officer_hour integer NOT NULL,
    suppress_below integer NOT NULL
);
