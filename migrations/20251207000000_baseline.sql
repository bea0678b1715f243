-- The two tables that were there before messaging: people and calls. Made only where they are missing.

CREATE TABLE IF NOT EXISTS public.profiles (
    user_id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    phone_number text UNIQUE,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE IF NOT EXISTS public.call_summaries (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    call_id      text,
    summary_text text,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
