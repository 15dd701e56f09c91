-- Everything folded from rating-outcomes lives in one schema of its own: a rebuild folds into a sibling schema from
-- offset 0 and swaps the two by name.
CREATE SCHEMA read_models;

-- The next offset to count, moved in the transaction that counts what is before it.
CREATE TABLE read_models.checkpoint (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (topic, partition)
);

-- Each submission counts once, however often an outcome arrives.
CREATE TABLE read_models.counted_submission (
    submission_id uuid PRIMARY KEY
);

-- day 'infinity': all days together; edition_id '*' (only with all days): all editions together. So totals are read
-- as they are, histories by a range of days, and no read grows with the number of ratings.
-- Counts change in place (no index holds them); the free space of a page lets PostgreSQL do so cheaply.
CREATE TABLE read_models.tally (
    level text NOT NULL,
    scope_id text NOT NULL,
    day date NOT NULL,
    edition_id text NOT NULL,
    measure text NOT NULL,
    item text NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (level, scope_id, day, edition_id, measure, item)
) WITH (fillfactor = 70);

-- The newest revision; one row.
CREATE TABLE read_models.revision (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    value bigint NOT NULL
);
INSERT INTO read_models.revision (value) VALUES (0);

-- Every scope with figures, the scope above it when it was first rated, and the revision that last changed it.
CREATE TABLE read_models.scope (
    level text NOT NULL,
    id text NOT NULL,
    parent_id text,
    revision bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (level, id)
) WITH (fillfactor = 70);
CREATE INDEX ON read_models.scope (level, parent_id);

-- Names, from the topic `directory`, read again at each start.
CREATE SCHEMA directory;

CREATE TABLE directory.unit (
    id text PRIMARY KEY,
    name jsonb NOT NULL,
    group_id text NOT NULL,
    group_name jsonb NOT NULL,
    group_position integer NOT NULL,
    position integer NOT NULL,
    source_offset bigint NOT NULL
);
CREATE INDEX ON directory.unit (group_id);

CREATE TABLE directory.officer (
    id text PRIMARY KEY,
    name text NOT NULL,
    unit_id text NOT NULL,
    position integer NOT NULL
);
CREATE INDEX ON directory.officer (unit_id);

CREATE VIEW directory.name AS
SELECT 'unit' AS level, id, group_id AS parent_id, name, position FROM directory.unit
UNION ALL
SELECT 'officer', id, unit_id, jsonb_build_object('vi', name, 'en', name), position FROM directory.officer
UNION ALL
-- A group is named by the unit published last.
(SELECT DISTINCT ON (group_id) 'group', group_id, 'city', group_name, group_position
 FROM directory.unit ORDER BY group_id, source_offset DESC);
