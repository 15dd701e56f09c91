-- Moves with every change of the directory, as `read_models.revision` does with every change of figures: whoever has
-- read both knows whether what was made of the rest is still true. By triggers, so that no writer can forget it.
CREATE TABLE directory.version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    value bigint NOT NULL
);
INSERT INTO directory.version (value) VALUES (0);

CREATE FUNCTION directory.move_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE directory.version SET value = value + 1;
    RETURN NULL;
END $$;

CREATE TRIGGER moved AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON directory.unit
FOR EACH STATEMENT EXECUTE FUNCTION directory.move_on();
CREATE TRIGGER moved AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON directory.officer
FOR EACH STATEMENT EXECUTE FUNCTION directory.move_on();
CREATE TRIGGER moved AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON directory.publication
FOR EACH STATEMENT EXECUTE FUNCTION directory.move_on();
