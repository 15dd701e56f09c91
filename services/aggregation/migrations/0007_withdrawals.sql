-- Each withdrawal counts once, however often it arrives.
CREATE TABLE read_models.withdrawn_submission (
    submission_id uuid PRIMARY KEY
);

-- Since which day a rating does not count any more; 'infinity': it counts.
ALTER TABLE read_models.acceptance ADD COLUMN withdrawn_day date NOT NULL DEFAULT 'infinity';
ALTER TABLE read_models.acceptance DROP CONSTRAINT acceptance_pkey;
ALTER TABLE read_models.acceptance
    ADD PRIMARY KEY (unit_id, edition_id, day, accepted_day, withdrawn_day, answer);
