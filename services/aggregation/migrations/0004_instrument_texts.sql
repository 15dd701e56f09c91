-- What every edition there ever was calls itself, its question, its answers and its reasons: figures outlive the
-- edition, and a report says in words what was counted. Filled from the topic `directory`, like the policies.
CREATE TABLE directory.edition_text (
    edition_id text NOT NULL,
    kind text NOT NULL,
    item text NOT NULL,
    position integer NOT NULL,
    text jsonb NOT NULL,
    PRIMARY KEY (edition_id, kind, item)
);
