-- Users as objects of their own, named groups of their connections, and OAuth clients that are found by their id.

-- Pages of a tenant's users, first made first; deleting one reads everything of theirs.
CREATE INDEX users_made ON users (tenant_id, created_at, user_hash);
CREATE INDEX retired_connections_user ON retired_connections (tenant_id, user_hash);
-- Never changed: locking a row takes the right to change a column of it.
GRANT UPDATE (created_at) ON users TO keyway_tenant;

-- Strata: named groups of one user's connections. A member is an integration: what is reached through it is the user's
-- primary connection with it, whichever that is by then.
CREATE TABLE strata (
    tenant_id uuid NOT NULL REFERENCES tenants,
    strata_id uuid NOT NULL,
    user_hash bytea NOT NULL,
    auth_handling boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, strata_id),
    FOREIGN KEY (tenant_id, user_hash) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX strata_user ON strata (tenant_id, user_hash);

CREATE TABLE strata_servers (
    tenant_id uuid NOT NULL,
    strata_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, strata_id, integration_id),
    FOREIGN KEY (tenant_id, strata_id) REFERENCES strata ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations
);
CREATE INDEX strata_servers_integration ON strata_servers (tenant_id, integration_id);

-- MCP servers that are nobody's integration: a name and a URL, with the headers that a client sends there.
CREATE TABLE strata_external_servers (
    tenant_id uuid NOT NULL,
    strata_id uuid NOT NULL,
    name text NOT NULL,
    url text NOT NULL,
    sealed_headers bytea,
    PRIMARY KEY (tenant_id, strata_id, name),
    FOREIGN KEY (tenant_id, strata_id) REFERENCES strata ON DELETE CASCADE
);

-- Of a value that must be found (an OAuth client's id): its HMAC under the tenant's index key.
ALTER TABLE auth_config_secrets ADD COLUMN value_index bytea CHECK (octet_length(value_index) = 32);
CREATE INDEX auth_config_secrets_value ON auth_config_secrets (tenant_id, value_index) WHERE value_index IS NOT NULL;
-- Client ids that were sealed before there was an index, until they are set again, and those that are no text: they are
-- opened one by one.
CREATE INDEX auth_config_secrets_unindexed ON auth_config_secrets (tenant_id, auth_config_id)
    WHERE kind = 'credential' AND name = 'client_id' AND value_index IS NULL;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['strata', 'strata_servers', 'strata_external_servers']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I TO keyway_tenant '
            'USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()))', name);
        EXECUTE format('CREATE POLICY jobs ON %I TO keyway_jobs USING (true) WITH CHECK (true)', name);
    END LOOP;
END
$$;

GRANT SELECT, INSERT, UPDATE (updated_at), DELETE ON strata TO keyway_tenant;
GRANT SELECT, INSERT, DELETE ON strata_servers TO keyway_tenant;
GRANT SELECT, INSERT, UPDATE (url, sealed_headers), DELETE ON strata_external_servers TO keyway_tenant;
GRANT SELECT, DELETE ON strata, strata_servers TO keyway_jobs;
GRANT SELECT, UPDATE (sealed_headers), DELETE ON strata_external_servers TO keyway_jobs;

-- As before (0002), and with the index of a value that has one: set [{kind, name, value: base64, indexed: base64}].
CREATE OR REPLACE FUNCTION change_auth_config(
    p_tenant uuid, p_config uuid, p_version bigint, p_change jsonb,
    p_audit uuid, p_key text, p_request text, p_action text, p_detail jsonb,
    OUT code text, OUT changed_at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    seen record;
BEGIN
    PERFORM set_config('role', 'keyway_tenant', true), set_config('app.tenant_id', p_tenant::text, true);
    SELECT a.version, a.public_id INTO seen
    FROM auth_configs a
    JOIN tenants t ON t.tenant_id = a.tenant_id AND t.deleted_at IS NULL
    WHERE a.tenant_id = p_tenant AND a.auth_config_id = p_config AND a.deleted_at IS NULL
    FOR NO KEY UPDATE OF a SKIP LOCKED;
    IF NOT FOUND THEN
        code := missing_code(p_tenant);
        IF code = 'unknown' AND EXISTS (SELECT FROM auth_configs a
            WHERE a.tenant_id = p_tenant AND a.auth_config_id = p_config AND a.deleted_at IS NULL)
        THEN
            code := 'busy';
        END IF;
        RETURN;
    END IF;
    IF seen.version <> p_version THEN
        code := 'stale';
        RETURN;
    END IF;
    UPDATE auth_configs a
    SET is_implicit = false, name = p_change ->> 'name', tool_access = p_change -> 'tool_access',
        proxy_url = p_change ->> 'proxy_url', tool_router = (p_change ->> 'tool_router')::boolean,
        test_code = p_change ->> 'test_code', fields = p_change -> 'fields',
        oauth_client = NULLIF(p_change -> 'oauth_client', 'null'),
        sealed_proxy_auth_key = CASE WHEN p_change ? 'proxy_key' THEN decode(p_change ->> 'proxy_key', 'base64')
            ELSE a.sealed_proxy_auth_key END,
        version = a.version + 1, updated_at = now()
    WHERE a.tenant_id = p_tenant AND a.auth_config_id = p_config
    RETURNING a.updated_at INTO changed_at;
    IF p_change ? 'remove' THEN
        DELETE FROM auth_config_secrets s
        USING jsonb_to_recordset(p_change -> 'remove') AS gone (kind text, name text)
        WHERE s.tenant_id = p_tenant AND s.auth_config_id = p_config AND s.kind = gone.kind AND s.name = gone.name;
    END IF;
    IF p_change ? 'set' THEN
        INSERT INTO auth_config_secrets (tenant_id, auth_config_id, kind, name, sealed_value, value_index)
        SELECT p_tenant, p_config, cell.kind, cell.name, decode(cell.value, 'base64'), decode(cell.indexed, 'base64')
        FROM jsonb_to_recordset(p_change -> 'set') AS cell (kind text, name text, value text, indexed text)
        ON CONFLICT (tenant_id, auth_config_id, kind, name)
            DO UPDATE SET sealed_value = EXCLUDED.sealed_value, value_index = EXCLUDED.value_index;
    END IF;
    INSERT INTO audit_log (tenant_id, audit_id, key_id, action, object_kind, object_id, request_id, detail)
    VALUES (p_tenant, p_audit, p_key, p_action, 'auth_config', seen.public_id, p_request, p_detail);
    code := 'done';
END
$$;

-- As before (0002), but for a connection that comes again right after it was changed: a row that its own transaction has
-- changed before is checked against its foreign keys anew, and that waits for whoever holds the user or the config, who may
-- wait for this connection. So it is `busy`, and its caller waits in a transaction of its own. The caller sorts the items
-- by connection, so that those of one stand together.
CREATE OR REPLACE FUNCTION set_credentials(
    p_tenants uuid[], p_connections uuid[], p_allowed text[], p_fields jsonb[], p_generations uuid[], p_sealed bytea[],
    p_audits uuid[], p_keys text[], p_requests text[]
) RETURNS TABLE (code text, fields jsonb) LANGUAGE plpgsql AS $$
DECLARE
    done record;
    changed integer;
BEGIN
    FOR i IN 1 .. cardinality(p_tenants) LOOP
        IF p_connections[i] = p_connections[changed] AND p_tenants[i] = p_tenants[changed] THEN
            code := 'busy';
            fields := NULL;
        ELSE
            done := set_credential(p_tenants[i], p_connections[i], p_allowed[i]::uuid[], p_fields[i], p_generations[i],
                p_sealed[i], p_audits[i], p_keys[i], p_requests[i]);
            code := done.code;
            fields := done.fields;
            IF code = 'done' THEN
                changed := i;
            END IF;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
