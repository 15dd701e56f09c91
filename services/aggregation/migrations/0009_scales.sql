-- How often each choice was made of the questions that editions ask further. Of units alone, and of editions as a whole.
-- What was counted before is not in it: `python -m services.aggregation rebuild` folds it in.
CREATE TABLE read_models.scale_tally (
    unit_id text NOT NULL,
    edition_id text NOT NULL,
    scale text NOT NULL,
    question text NOT NULL,
    choice text NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (unit_id, edition_id, scale, question, choice)
) WITH (fillfactor = 70);

-- What every edition there ever was asks further, as it was published last: figures outlive the edition.
CREATE TABLE directory.scale (
    edition_id text PRIMARY KEY,
    scales jsonb NOT NULL
);
CREATE TRIGGER moved AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON directory.scale
FOR EACH STATEMENT EXECUTE FUNCTION directory.move_on();
