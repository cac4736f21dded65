-- The hot paths: one call each, in force of row-level security.
--
-- Each function acts in the caller's rights (never SECURITY DEFINER), switches to the tenant's role for the length of
-- the transaction and then works on one item. plpgsql, because its statements are planned after the switch; a function
-- in LANGUAGE sql would be rewritten before it. None of them raises an error for what an item is or lacks: it answers
-- with a code, so that one item never undoes the others of a batch. The plural forms do the same for many items, one
-- after the other, in one transaction.
--
-- Codes: `done`; `unknown` (no such object for this caller); `gone` (the tenant was deleted); `busy` (another
-- transaction holds the row: the caller waits for it in a transaction of its own); `stale` (what the caller checked
-- against has changed); and those that a function names.

-- Whether the tenant that the transaction acts for lives. Asked only where something was not found: where a row is
-- found, its tenant was joined.
CREATE FUNCTION missing_code(p_tenant uuid) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE WHEN EXISTS (SELECT FROM tenants WHERE tenant_id = p_tenant AND deleted_at IS NULL)
        THEN 'unknown' ELSE 'gone' END;
END
$$;

-- Replaces the credential of one connection and makes it ACTIVE.
--   p_allowed   the integrations that the caller's key is limited to; NULL is no limit
--   p_fields    the declared fields that the credential was checked against; others now are `stale`, and answered
--   p_sealed    NULL only asks: `nothing` where the rest is in order
-- `no_auth`: the connection's scheme takes no credential.
CREATE FUNCTION set_credential(
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
        SET generation = p_generation, sealed_credential = p_sealed, status = 'ACTIVE', updated_at = now()
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

CREATE FUNCTION set_credentials(
    p_tenants uuid[], p_connections uuid[], p_allowed text[], p_fields jsonb[], p_generations uuid[], p_sealed bytea[],
    p_audits uuid[], p_keys text[], p_requests text[]
) RETURNS TABLE (code text, fields jsonb) LANGUAGE plpgsql AS $$
DECLARE
    done record;
BEGIN
    FOR i IN 1 .. cardinality(p_tenants) LOOP
        done := set_credential(p_tenants[i], p_connections[i], p_allowed[i]::uuid[], p_fields[i], p_generations[i],
            p_sealed[i], p_audits[i], p_keys[i], p_requests[i]);
        code := done.code;
        fields := done.fields;
        RETURN NEXT;
    END LOOP;
END
$$;

-- Reads the sealed credential of one connection and writes the audit row of its hand-out. `none`: it has no credential,
-- nothing is written. Without p_audit nothing is written either: the caller keeps the row and writes it later.
CREATE FUNCTION hand_out(
    p_tenant uuid, p_connection uuid, p_allowed uuid[], p_audit uuid, p_key text, p_request text,
    OUT code text, OUT generation uuid, OUT sealed bytea
) LANGUAGE plpgsql AS $$
DECLARE
    seen record;
BEGIN
    PERFORM set_config('role', 'keyway_tenant', true), set_config('app.tenant_id', p_tenant::text, true);
    SELECT c.generation, c.sealed_credential INTO seen
    FROM connections c
    JOIN tenants t ON t.tenant_id = c.tenant_id AND t.deleted_at IS NULL
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
    END IF;
END
$$;

CREATE FUNCTION hand_outs(
    p_tenants uuid[], p_connections uuid[], p_allowed text[], p_audits uuid[], p_keys text[], p_requests text[]
) RETURNS TABLE (code text, generation uuid, sealed bytea) LANGUAGE plpgsql AS $$
DECLARE
    done record;
BEGIN
    FOR i IN 1 .. cardinality(p_tenants) LOOP
        done := hand_out(p_tenants[i], p_connections[i], p_allowed[i]::uuid[], p_audits[i], p_keys[i], p_requests[i]);
        code := done.code;
        generation := done.generation;
        sealed := done.sealed;
        RETURN NEXT;
    END LOOP;
END
$$;

-- An integration and one auth config of it, with the config's sealed cells.
CREATE TYPE auth_config_state AS (
    code text,
    auth_config_id uuid, public_id text, integration_id uuid, is_default boolean, is_implicit boolean, name text,
    scheme text, managed boolean, enabled boolean, tool_access jsonb, proxy_url text, sealed_proxy_auth_key bytea,
    tool_router boolean, test_code text, fields jsonb, oauth_client jsonb, version bigint, created_by text,
    created_at timestamptz, updated_at timestamptz,
    integration_slug text, integration_name text, integration_description text, integration_catalogue_slug text,
    integration_mcp_server_url text, integration_version bigint, integration_created_at timestamptz,
    integration_updated_at timestamptz,
    cell_kinds text[], cell_names text[], cell_values bytea[]
);

-- Reads an auth config, by its public id or (p_integration) the default one of an integration. Where the integration is
-- there and has no default config, the answer is `unknown` too: the caller looks closer in a transaction of its own. One
-- statement, so that config and cells are of one moment.
CREATE FUNCTION read_auth_config(p_tenant uuid, p_public_id text, p_integration uuid) RETURNS auth_config_state
LANGUAGE plpgsql AS $$
DECLARE
    state auth_config_state;
BEGIN
    PERFORM set_config('role', 'keyway_tenant', true), set_config('app.tenant_id', p_tenant::text, true);
    IF p_integration IS NULL THEN
        SELECT 'done', a.auth_config_id, a.public_id, a.integration_id, a.is_default, a.is_implicit, a.name, a.scheme,
            a.managed, a.enabled, a.tool_access, a.proxy_url, a.sealed_proxy_auth_key, a.tool_router, a.test_code,
            a.fields, a.oauth_client, a.version, a.created_by, a.created_at, a.updated_at,
            i.slug, i.name, i.description, i.catalogue_slug, i.mcp_server_url, i.version, i.created_at, i.updated_at,
            s.kinds, s.names, s.sealed
        INTO state
        FROM auth_configs a
        JOIN integrations i ON i.tenant_id = a.tenant_id AND i.integration_id = a.integration_id
        JOIN tenants t ON t.tenant_id = a.tenant_id AND t.deleted_at IS NULL
        CROSS JOIN LATERAL (SELECT array_agg(kind) AS kinds, array_agg(name) AS names, array_agg(sealed_value) AS sealed
            FROM auth_config_secrets WHERE tenant_id = a.tenant_id AND auth_config_id = a.auth_config_id) AS s
        WHERE a.tenant_id = p_tenant AND a.public_id = p_public_id AND a.deleted_at IS NULL;
    ELSE
        SELECT 'done', a.auth_config_id, a.public_id, a.integration_id, a.is_default, a.is_implicit, a.name, a.scheme,
            a.managed, a.enabled, a.tool_access, a.proxy_url, a.sealed_proxy_auth_key, a.tool_router, a.test_code,
            a.fields, a.oauth_client, a.version, a.created_by, a.created_at, a.updated_at,
            i.slug, i.name, i.description, i.catalogue_slug, i.mcp_server_url, i.version, i.created_at, i.updated_at,
            s.kinds, s.names, s.sealed
        INTO state
        FROM auth_configs a
        JOIN integrations i ON i.tenant_id = a.tenant_id AND i.integration_id = a.integration_id
        JOIN tenants t ON t.tenant_id = a.tenant_id AND t.deleted_at IS NULL
        CROSS JOIN LATERAL (SELECT array_agg(kind) AS kinds, array_agg(name) AS names, array_agg(sealed_value) AS sealed
            FROM auth_config_secrets WHERE tenant_id = a.tenant_id AND auth_config_id = a.auth_config_id) AS s
        WHERE a.tenant_id = p_tenant AND a.integration_id = p_integration AND a.is_default AND a.deleted_at IS NULL
            AND i.deleted_at IS NULL;
    END IF;
    IF NOT FOUND THEN
        state.code := missing_code(p_tenant);
    END IF;
    RETURN state;
END
$$;

CREATE FUNCTION read_auth_configs(p_tenants uuid[], p_public_ids text[], p_integrations uuid[])
RETURNS SETOF auth_config_state LANGUAGE plpgsql AS $$
DECLARE
    state auth_config_state;
BEGIN
    FOR i IN 1 .. cardinality(p_tenants) LOOP
        state := read_auth_config(p_tenants[i], p_public_ids[i], p_integrations[i]);
        RETURN NEXT state;
    END LOOP;
END
$$;

-- Writes an auth config of which p_version was read; `stale` where it is at another one now.
--   p_change    the columns name, tool_access, proxy_url, tool_router, test_code, fields, oauth_client; and, where they
--               change, proxy_key (base64 or null), set [{kind, name, value: base64}] and remove [{kind, name}]
CREATE FUNCTION change_auth_config(
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
        INSERT INTO auth_config_secrets (tenant_id, auth_config_id, kind, name, sealed_value)
        SELECT p_tenant, p_config, cell.kind, cell.name, decode(cell.value, 'base64')
        FROM jsonb_to_recordset(p_change -> 'set') AS cell (kind text, name text, value text)
        ON CONFLICT (tenant_id, auth_config_id, kind, name) DO UPDATE SET sealed_value = EXCLUDED.sealed_value;
    END IF;
    INSERT INTO audit_log (tenant_id, audit_id, key_id, action, object_kind, object_id, request_id, detail)
    VALUES (p_tenant, p_audit, p_key, p_action, 'auth_config', seen.public_id, p_request, p_detail);
    code := 'done';
END
$$;

CREATE FUNCTION change_auth_configs(
    p_tenants uuid[], p_configs uuid[], p_versions bigint[], p_changes jsonb[],
    p_audits uuid[], p_keys text[], p_requests text[], p_actions text[], p_details jsonb[]
) RETURNS TABLE (code text, changed_at timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    done record;
BEGIN
    FOR i IN 1 .. cardinality(p_tenants) LOOP
        done := change_auth_config(p_tenants[i], p_configs[i], p_versions[i], p_changes[i], p_audits[i], p_keys[i],
            p_requests[i], p_actions[i], p_details[i]);
        code := done.code;
        changed_at := done.changed_at;
        RETURN NEXT;
    END LOOP;
END
$$;

-- The API keys of these ids, before the tenant is known.
CREATE FUNCTION find_api_keys(p_ids text[]) RETURNS TABLE (
    tenant_id uuid, key_id text, name text, mac bytea, pepper_version integer, scopes text[], integrations uuid[],
    created_at timestamptz, expires_at timestamptz, revoked_at timestamptz, expired boolean
) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('role', 'keyway_auth', true);
    RETURN QUERY SELECT k.tenant_id, k.key_id, k.name, k.mac, k.pepper_version, k.scopes, k.integrations, k.created_at,
        k.expires_at, k.revoked_at, COALESCE(k.expires_at <= now(), false)
    FROM api_keys k WHERE k.key_id = ANY (p_ids);
END
$$;
