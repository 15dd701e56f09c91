-- Units close, and merge into others. Null until the topic `directory` is read again, at the worker's next start.
ALTER TABLE directory.unit ADD COLUMN closed_on date, ADD COLUMN merged_into text;
CREATE INDEX ON directory.unit (merged_into);
