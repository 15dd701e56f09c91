-- Units close, and merge into others. Null until the topic `directory` is read again, at the worker's next start.
ALTER TABLE directory.unit ADD COLUMN closed_on date, ADD COLUMN merged_into text;
CREATE INDEX ON directory.unit (merged_into);

-- On which day the ratings of a unit were accepted, beside the day on which they were submitted. What was counted before
-- is not in it: `python -m services.aggregation rebuild` folds it in, and until then no unit with such ratings is shown as
-- of an earlier day.
CREATE TABLE read_models.acceptance (
    unit_id text NOT NULL,
    edition_id text NOT NULL,
    day date NOT NULL,
    accepted_day date NOT NULL,
    answer text NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (unit_id, edition_id, day, accepted_day, answer)
) WITH (fillfactor = 70);
