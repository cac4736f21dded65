-- Several connections of one user with one integration, told apart by aliases; why a status is what it is; links to the
-- hosted connect page.

-- Pages of a tenant's connections, and of those with a status. Made first: until here, readers do not wait.
CREATE INDEX connections_created ON connections (tenant_id, created_at, connection_id);
CREATE INDEX connections_status ON connections (tenant_id, status, created_at, connection_id);
-- What a config shares, read by every hand-out under it: mostly nothing.
CREATE INDEX auth_config_secrets_shared ON auth_config_secrets (tenant_id, auth_config_id) WHERE kind = 'shared';
-- Pages of a tenant's auth configs of one kind and state, all of them and those of an integration.
CREATE INDEX auth_configs_listed ON auth_configs (tenant_id, managed, enabled, auth_config_id) WHERE deleted_at IS NULL;
DROP INDEX auth_configs_integration;
CREATE INDEX auth_configs_integration ON auth_configs (tenant_id, integration_id, managed, enabled, auth_config_id)
    WHERE deleted_at IS NULL;

ALTER TABLE connections ADD COLUMN alias text, ADD COLUMN status_reason text;
ALTER TABLE retired_connections ADD COLUMN alias text, ADD COLUMN status_reason text;
CREATE UNIQUE INDEX connections_alias ON connections (tenant_id, integration_id, user_hash, alias) WHERE alias IS NOT NULL;

-- Links to the hosted connect page, by the SHA-256 of their token. A link ends by being used, after ten minutes, with its
-- connection, and where that is revoked or its config is taken over. It leads nowhere while its connection or its config
-- is switched off, or once the API key that made it is revoked or has expired.
CREATE TABLE link_tokens (
    tenant_id uuid NOT NULL,
    token_hash bytea NOT NULL CHECK (octet_length(token_hash) = 32),
    connection_id uuid NOT NULL,
    key_id text NOT NULL,
    callback_url text,
    sealed_data bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (tenant_id, token_hash),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connections ON DELETE CASCADE
);
-- The page finds a link before the tenant is known.
CREATE INDEX link_tokens_lookup ON link_tokens (token_hash);
CREATE INDEX link_tokens_connection ON link_tokens (tenant_id, connection_id);
CREATE INDEX link_tokens_due ON link_tokens (expires_at);
-- What came with a link is destroyed at its end, before the link.
CREATE INDEX link_tokens_data_due ON link_tokens (expires_at) WHERE sealed_data IS NOT NULL;

ALTER TABLE link_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE link_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON link_tokens TO keyway_tenant
    USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()));
CREATE POLICY jobs ON link_tokens TO keyway_jobs USING (true) WITH CHECK (true);
CREATE POLICY auth ON link_tokens FOR SELECT TO keyway_auth USING (true);

GRANT SELECT, INSERT, UPDATE (used_at, sealed_data), DELETE ON link_tokens TO keyway_tenant;
GRANT SELECT ON link_tokens TO keyway_auth;
GRANT SELECT, UPDATE (sealed_data), DELETE ON link_tokens TO keyway_jobs;
-- Never changed: locking a row takes the right to change a column of it.
GRANT UPDATE (retired_at) ON retired_connections TO keyway_tenant;

-- As before (0002), and the status has no reason any more.
CREATE OR REPLACE FUNCTION set_credential(
    p_tenant uuid, p_connection uuid, p_allowed uuid[], p_fields jsonb, p_generation uuid, p_sealed bytea,
    p_audit uuid, p_key text, p_request text,
    OUT code text, OUT fields jsonb
) LANGUAGE plpgsql AS $$
DECLARE
    seen record;
    rules record;
BEGIN
    PERFORM set_config('role', 'keyway_tenant', true), set_config('app.tenant_id', p_tenant::text, true);
    SELECT c.integration_id, c.auth_config_id INTO seen
    FROM connections c
    JOIN tenants t ON t.tenant_id = c.tenant_id AND t.deleted_at IS NULL
    WHERE c.tenant_id = p_tenant AND c.connection_id = p_connection
    FOR NO KEY UPDATE OF c SKIP LOCKED;
    IF NOT FOUND THEN
        code := missing_code(p_tenant);
        IF code = 'unknown' AND EXISTS (SELECT FROM connections c
            WHERE c.tenant_id = p_tenant AND c.connection_id = p_connection
                AND (p_allowed IS NULL OR c.integration_id = ANY (p_allowed)))
        THEN
            code := 'busy';
        END IF;
        RETURN;
    END IF;
    IF p_sealed IS NOT NULL AND (p_allowed IS NULL OR seen.integration_id = ANY (p_allowed)) THEN
        -- The config is read once the connection is held, not with it: whoever changes the scheme holds the connections
        -- under the config until the commit, and what a statement reads is as it was when the statement began.
        UPDATE connections c
        SET generation = p_generation, sealed_credential = p_sealed, status = 'ACTIVE',
            status_reason = NULL, updated_at = now()
        FROM auth_configs a
        WHERE c.tenant_id = p_tenant AND c.connection_id = p_connection
            AND a.tenant_id = p_tenant AND a.auth_config_id = seen.auth_config_id
            AND a.scheme <> 'NO_AUTH' AND a.fields = p_fields;
        IF FOUND THEN
            INSERT INTO audit_log (tenant_id, audit_id, key_id, action, object_kind, object_id, request_id)
            VALUES (p_tenant, p_audit, p_key, 'connection.set_credential', 'connection', p_connection::text, p_request);
            code := 'done';
            RETURN;
        END IF;
    END IF;
    SELECT a.scheme, a.fields INTO rules
    FROM auth_configs a WHERE a.tenant_id = p_tenant AND a.auth_config_id = seen.auth_config_id;
    IF NOT FOUND OR seen.integration_id <> ALL (p_allowed) THEN
        code := 'unknown';
    ELSIF rules.scheme = 'NO_AUTH' THEN
        code := 'no_auth';
    ELSIF p_sealed IS NULL AND rules.fields = p_fields THEN
        code := 'nothing';
    ELSE
        code := 'stale';
        fields := rules.fields;
    END IF;
END
$$;

-- As hand_out and hand_outs (0002), and with what the connection's config shares with its connections: none, or the names
-- and the sealed values of auth_config_secrets. Under names of their own: a server of the version before, which may run
-- beside this one, calls those.
CREATE FUNCTION hand_out_credential(
    p_tenant uuid, p_connection uuid, p_allowed uuid[], p_audit uuid, p_key text, p_request text,
    OUT code text, OUT generation uuid, OUT sealed bytea, OUT config uuid, OUT shared_names text[], OUT shared bytea[]
) LANGUAGE plpgsql AS $$
DECLARE
    seen record;
BEGIN
    PERFORM set_config('role', 'keyway_tenant', true), set_config('app.tenant_id', p_tenant::text, true);
    SELECT c.generation, c.sealed_credential, c.auth_config_id, s.names, s.sealed INTO seen
    FROM connections c
    JOIN tenants t ON t.tenant_id = c.tenant_id AND t.deleted_at IS NULL
    CROSS JOIN LATERAL (SELECT array_agg(name) AS names, array_agg(sealed_value) AS sealed
        FROM auth_config_secrets
        WHERE tenant_id = c.tenant_id AND auth_config_id = c.auth_config_id AND kind = 'shared') AS s
    WHERE c.tenant_id = p_tenant AND c.connection_id = p_connection
        AND (p_allowed IS NULL OR c.integration_id = ANY (p_allowed));
    IF NOT FOUND THEN
        code := missing_code(p_tenant);
    ELSIF seen.sealed_credential IS NULL THEN
        code := 'none';
    ELSE
        IF p_audit IS NOT NULL THEN
            INSERT INTO audit_log (tenant_id, audit_id, key_id, action, object_kind, object_id, request_id)
            VALUES (p_tenant, p_audit, p_key, 'connection.hand_out', 'connection', p_connection::text, p_request);
        END IF;
        code := 'done';
        generation := seen.generation;
        sealed := seen.sealed_credential;
        config := seen.auth_config_id;
        shared_names := seen.names;
        shared := seen.sealed;
    END IF;
END
$$;

CREATE FUNCTION hand_out_credentials(
    p_tenants uuid[], p_connections uuid[], p_allowed text[], p_audits uuid[], p_keys text[], p_requests text[]
) RETURNS TABLE (code text, generation uuid, sealed bytea, config uuid, shared_names text[], shared bytea[])
LANGUAGE plpgsql AS $$
DECLARE
    done record;
BEGIN
    FOR i IN 1 .. cardinality(p_tenants) LOOP
        done := hand_out_credential(p_tenants[i], p_connections[i], p_allowed[i]::uuid[], p_audits[i], p_keys[i],
            p_requests[i]);
        code := done.code;
        generation := done.generation;
        sealed := done.sealed;
        config := done.config;
        shared_names := done.shared_names;
        shared := done.shared;
        RETURN NEXT;
    END LOOP;
END
$$;
