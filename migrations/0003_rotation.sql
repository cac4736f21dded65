-- Rotation of root keys and of tenants' data keys while servers run.

-- The servers that run, each with the fingerprints of the root keys that it holds, told once a minute: a root key seals
-- nothing before all of them hold it. No tenant: for the jobs role only.
CREATE TABLE servers (
    server_id uuid PRIMARY KEY,
    root_ids text[] NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE, DELETE ON servers TO keyway_jobs;

-- Of root_keys, the newest row names the root key that seals; the others open only.

-- Of a data key that was replaced: since when nothing is sealed under it, and when that was last looked at.
ALTER TABLE tenant_data_keys ADD COLUMN emptied_at timestamptz, ADD COLUMN looked_at timestamptz;
CREATE INDEX tenant_data_keys_replaced ON tenant_data_keys (tenant_id) WHERE NOT active;
-- What is still wrapped under a root key: read by its rotation, and by the foreign key when the root key's row goes.
CREATE INDEX tenant_data_keys_root ON tenant_data_keys (root_id, tenant_id, dek_id);
