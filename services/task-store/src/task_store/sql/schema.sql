-- The record of the schema's steps: which were applied, and who must not be connected any more.

-- name: make_record
-- Versions before 0.2.0 made it with step and time alone, and go on reading it.
CREATE TABLE IF NOT EXISTS public.darkroom_migrations (
    step integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
DO $$ BEGIN
    -- Only where it must: it waits for whoever reads the record, and everybody waits behind it.
    IF NOT EXISTS (SELECT FROM pg_attribute
            WHERE attrelid = 'public.darkroom_migrations'::regclass AND attname = 'least') THEN
        ALTER TABLE public.darkroom_migrations
            ADD COLUMN least integer NOT NULL DEFAULT 0, ADD COLUMN version text;
        COMMENT ON COLUMN public.darkroom_migrations.least IS
            'The step that code must know at least to run on this one; 0 where all code does.';
    END IF;
END $$

-- name: record
INSERT INTO public.darkroom_migrations (step, least, version) VALUES ($1, $2, $3)

-- name: least
-- The step that asks most of the code; by way of JSON, since the record may be an old one.
SELECT m.step, told.least, told.version FROM public.darkroom_migrations m,
    jsonb_to_record(to_jsonb(m)) AS told (least integer, version text)
WHERE told.least > 0 ORDER BY told.least DESC, m.step DESC LIMIT 1

-- name: sessions
SELECT application_name AS name FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY name
