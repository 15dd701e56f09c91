-- What an accepted rating counts as, so that its withdrawal can say so; and its withdrawal, with the message that led to
-- it. Of ratings from before the first is null: they cannot be withdrawn, unless a phone code was asked for.
ALTER TABLE ratings
    ADD COLUMN accepted_as text,
    ADD COLUMN withdrawn_at timestamptz,
    ADD COLUMN withdrawal text CHECK (withdrawal IN ('citizen', 'voided')),
    ADD COLUMN withdrawal_reason text,
    ADD COLUMN withdrawal_wave_id uuid,
    ADD COLUMN withdrawal_partition integer,
    ADD COLUMN withdrawal_offset bigint,
    ADD CHECK ((withdrawn_at IS NULL) = (withdrawal IS NULL));
