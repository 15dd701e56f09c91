-- When each key was claimed: it is forgotten once no submission can ask for it again.
ALTER TABLE idempotency_tokens ADD COLUMN claimed_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE used_challenges ADD COLUMN claimed_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE slots ADD COLUMN claimed_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX idempotency_tokens_claimed ON idempotency_tokens (claimed_at);
CREATE INDEX used_challenges_claimed ON used_challenges (claimed_at);
CREATE INDEX slots_windows ON slots (edition_id, window_number);

CREATE INDEX ratings_decided ON ratings (decided_at) WHERE status <> 'phone_code_needed';
CREATE INDEX phone_code_tries_ratings ON phone_code_tries (rating_id);
CREATE INDEX sms_queue_created ON sms_queue (created_at);

-- The pseudonym is needed until the rating is decided: then the slot has it, or nobody.
UPDATE phone_codes SET pseudonym = '' WHERE NOT awaiting;
CREATE INDEX phone_codes_pseudonyms ON phone_codes (edition_id) WHERE pseudonym <> '';
