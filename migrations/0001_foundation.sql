-- The foundation: tenants and their keys, integrations, auth configs, connections, the audit log.
-- Run as keyway_owner. The roles exist before (store/provision.rs): roles belong to the cluster, not to a database.
-- Every tenant table: tenant_id first in every key, row-level security forced, a policy for each role that may touch it.

CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE
    RETURN NULLIF(current_setting('app.tenant_id', true), '')::uuid;

-- Called once at the start of each transaction of a tenant, in the role that the policies bind. A tenant that is marked
-- deleted is nobody's, though servers may remember its keys for some seconds.
CREATE FUNCTION require_living_tenant() RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM tenants WHERE tenant_id = current_tenant() AND deleted_at IS NULL) THEN
        RAISE EXCEPTION 'no living tenant' USING ERRCODE = 'KW404';
    END IF;
END
$$;

-- Server-wide secrets: no tenant, readable by the jobs role only.
CREATE TABLE root_keys (
    root_id bytea PRIMARY KEY CHECK (octet_length(root_id) = 8),
    sealed_canary bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE server_secrets (
    name text NOT NULL,
    version integer NOT NULL,
    root_id bytea NOT NULL REFERENCES root_keys,
    sealed_value bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, version)
);

CREATE TABLE tenants (
    tenant_id uuid PRIMARY KEY,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
CREATE UNIQUE INDEX tenants_name ON tenants (name) WHERE deleted_at IS NULL;

CREATE TABLE tenant_data_keys (
    tenant_id uuid NOT NULL REFERENCES tenants,
    dek_id integer NOT NULL,
    root_id bytea NOT NULL REFERENCES root_keys,
    sealed_key bytea NOT NULL,
    active boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, dek_id)
);
CREATE UNIQUE INDEX tenant_data_keys_active ON tenant_data_keys (tenant_id) WHERE active;

CREATE TABLE api_keys (
    tenant_id uuid NOT NULL REFERENCES tenants,
    key_id text NOT NULL,
    name text NOT NULL,
    mac bytea NOT NULL CHECK (octet_length(mac) = 32),
    pepper_version integer NOT NULL,
    scopes text[] NOT NULL,
    integrations uuid[],
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, key_id)
);
-- Authentication finds a key before the tenant is known.
CREATE INDEX api_keys_lookup ON api_keys (key_id);

CREATE TABLE integrations (
    tenant_id uuid NOT NULL REFERENCES tenants,
    integration_id uuid NOT NULL,
    match_key text NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    catalogue_slug text,
    mcp_server_url text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    PRIMARY KEY (tenant_id, integration_id)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX integrations_match_key ON integrations (tenant_id, match_key) WHERE deleted_at IS NULL;

CREATE TABLE auth_configs (
    tenant_id uuid NOT NULL,
    auth_config_id uuid NOT NULL,
    public_id text NOT NULL,
    integration_id uuid NOT NULL,
    is_default boolean NOT NULL,
    is_implicit boolean NOT NULL,
    name text NOT NULL,
    scheme text NOT NULL,
    managed boolean NOT NULL DEFAULT false,
    enabled boolean NOT NULL DEFAULT true,
    tool_access jsonb NOT NULL,
    proxy_url text,
    sealed_proxy_auth_key bytea,
    tool_router boolean NOT NULL DEFAULT false,
    test_code text,
    fields jsonb NOT NULL,
    oauth_client jsonb,
    version bigint NOT NULL DEFAULT 1,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    PRIMARY KEY (tenant_id, auth_config_id),
    UNIQUE (tenant_id, integration_id, auth_config_id),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX auth_configs_public_id ON auth_configs (tenant_id, public_id);
CREATE UNIQUE INDEX auth_configs_default ON auth_configs (tenant_id, integration_id)
    WHERE is_default AND deleted_at IS NULL;
CREATE INDEX auth_configs_integration ON auth_configs (tenant_id, integration_id, auth_config_id)
    WHERE deleted_at IS NULL;

-- One sealed cell per key, so that a merge never opens another key.
CREATE TABLE auth_config_secrets (
    tenant_id uuid NOT NULL,
    auth_config_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('credential', 'shared')),
    name text NOT NULL,
    sealed_value bytea NOT NULL,
    PRIMARY KEY (tenant_id, auth_config_id, kind, name),
    FOREIGN KEY (tenant_id, auth_config_id) REFERENCES auth_configs ON DELETE CASCADE
);

-- user_hash is SHA-256 of user_id, made in the application: an id of any length can be indexed.
CREATE TABLE users (
    tenant_id uuid NOT NULL REFERENCES tenants,
    user_hash bytea NOT NULL CHECK (octet_length(user_hash) = 32),
    user_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, user_hash)
);

CREATE TABLE connections (
    tenant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    public_id text NOT NULL,
    auth_config_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    user_id text NOT NULL,
    user_hash bytea NOT NULL,
    is_primary boolean NOT NULL,
    status text NOT NULL CHECK (status IN
        ('INITIALIZING', 'INITIATED', 'ACTIVE', 'INACTIVE', 'EXPIRED', 'FAILED', 'REVOKED')),
    generation uuid,
    sealed_credential bytea,
    platform text,
    read_only boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, connection_id),
    -- The config is one of this very integration.
    FOREIGN KEY (tenant_id, integration_id, auth_config_id)
        REFERENCES auth_configs (tenant_id, integration_id, auth_config_id),
    FOREIGN KEY (tenant_id, user_hash) REFERENCES users,
    CHECK ((generation IS NULL) = (sealed_credential IS NULL))
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX connections_public_id ON connections (tenant_id, public_id);
CREATE UNIQUE INDEX connections_primary ON connections (tenant_id, integration_id, user_hash) WHERE is_primary;
CREATE INDEX connections_user ON connections (tenant_id, integration_id, user_hash, connection_id);
CREATE INDEX connections_auth_config ON connections (tenant_id, auth_config_id, user_hash);
CREATE INDEX connections_of_user ON connections (tenant_id, user_hash);

-- What an authType change took away: no read reaches it; purged after KEYWAY_RETENTION. The bytes stay bound to the
-- place where they were sealed (table connections).
CREATE TABLE retired_connections (
    tenant_id uuid NOT NULL REFERENCES tenants,
    connection_id uuid NOT NULL,
    public_id text NOT NULL,
    auth_config_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    user_id text NOT NULL,
    user_hash bytea NOT NULL,
    is_primary boolean NOT NULL,
    status text NOT NULL,
    generation uuid,
    sealed_credential bytea,
    platform text,
    read_only boolean NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    auth_config_version bigint NOT NULL,
    retired_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, connection_id)
);
CREATE INDEX retired_connections_auth_config
    ON retired_connections (tenant_id, auth_config_id, auth_config_version);
CREATE INDEX retired_connections_due ON retired_connections (retired_at);

CREATE TABLE audit_log (
    tenant_id uuid NOT NULL REFERENCES tenants,
    audit_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    key_id text NOT NULL,
    action text NOT NULL,
    object_kind text NOT NULL,
    object_id text NOT NULL,
    request_id text NOT NULL,
    detail jsonb,
    PRIMARY KEY (tenant_id, audit_id)
);
CREATE INDEX audit_log_object ON audit_log (tenant_id, object_kind, object_id, audit_id);

-- Row-level security: forced, so that the owner is bound too; one policy per role.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tenants', 'tenant_data_keys', 'api_keys', 'integrations', 'auth_configs',
        'auth_config_secrets', 'users', 'connections', 'retired_connections', 'audit_log']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I TO keyway_tenant '
            'USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()))', name);
        EXECUTE format('CREATE POLICY jobs ON %I TO keyway_jobs USING (true) WITH CHECK (true)', name);
    END LOOP;
END
$$;
CREATE POLICY auth ON api_keys FOR SELECT TO keyway_auth USING (true);

-- Each role gets what it needs and no more; the audit log is appended to and never changed.
GRANT SELECT ON tenants, tenant_data_keys TO keyway_tenant;
GRANT SELECT, INSERT, UPDATE (revoked_at) ON api_keys TO keyway_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON integrations, auth_configs, auth_config_secrets, connections TO keyway_tenant;
GRANT SELECT, INSERT, DELETE ON users, retired_connections TO keyway_tenant;
GRANT SELECT, INSERT ON audit_log TO keyway_tenant;

GRANT SELECT ON api_keys TO keyway_auth;

GRANT SELECT, INSERT, UPDATE, DELETE ON root_keys, server_secrets, tenants, tenant_data_keys TO keyway_jobs;
GRANT SELECT, UPDATE (revoked_at), DELETE ON api_keys TO keyway_jobs;
GRANT SELECT, DELETE ON integrations, users TO keyway_jobs;
GRANT SELECT, UPDATE (sealed_proxy_auth_key), DELETE ON auth_configs TO keyway_jobs;
GRANT SELECT, UPDATE (sealed_value), DELETE ON auth_config_secrets TO keyway_jobs;
GRANT SELECT, UPDATE (sealed_credential), DELETE ON connections, retired_connections TO keyway_jobs;
GRANT SELECT, INSERT, DELETE ON audit_log TO keyway_jobs;
