//! What reads the cells of each sealed column, batch by batch, and writes them back.

pub(super) const SOME_PROXY_KEYS: &str = "-- auth_configs: some proxy keys under other data keys
    SELECT id, part, sealed FROM (
        SELECT id, part, sealed, rank() OVER (ORDER BY id) AS place, sum(octet_length(sealed)) OVER (ORDER BY id) AS bytes
        FROM (SELECT auth_config_id AS id, '' AS part, CASE WHEN substring(sealed_proxy_auth_key FROM 3 FOR 4) <> $3
                THEN sealed_proxy_auth_key END AS sealed
            FROM auth_configs WHERE tenant_id = $1 AND auth_config_id > $2
            ORDER BY auth_config_id FETCH FIRST $4 ROWS WITH TIES) AS batch) AS measured
    WHERE place = 1 OR coalesce(bytes, 0) <= $5 ORDER BY id";
pub(super) const REPLACE_PROXY_KEYS: &str = "-- auth_configs: replace proxy keys
    WITH free AS MATERIALIZED (
        SELECT t.auth_config_id, c.old, c.new FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::bytea[])
            AS c(id, part, old, new)
        JOIN auth_configs AS t ON t.tenant_id = $1 AND t.auth_config_id = c.id AND t.sealed_proxy_auth_key = c.old
        ORDER BY t.auth_config_id FOR UPDATE OF t SKIP LOCKED)
    UPDATE auth_configs AS t SET sealed_proxy_auth_key = free.new FROM free
    WHERE t.tenant_id = $1 AND t.auth_config_id = free.auth_config_id AND t.sealed_proxy_auth_key = free.old";
pub(super) const SOME_SECRETS: &str = "-- auth_config_secrets: some under other data keys
    SELECT id, part, sealed FROM (
        SELECT id, part, sealed, rank() OVER (ORDER BY id) AS place, sum(octet_length(sealed)) OVER (ORDER BY id) AS bytes
        FROM (SELECT auth_config_id AS id, kind || '/' || name AS part, CASE WHEN substring(sealed_value FROM 3 FOR 4) <> $3
                THEN sealed_value END AS sealed
            FROM auth_config_secrets WHERE tenant_id = $1 AND auth_config_id > $2
            ORDER BY auth_config_id FETCH FIRST $4 ROWS WITH TIES) AS batch) AS measured
    WHERE place = 1 OR coalesce(bytes, 0) <= $5 ORDER BY id";
pub(super) const REPLACE_SECRETS: &str = "-- auth_config_secrets: replace
    WITH free AS MATERIALIZED (
        SELECT t.auth_config_id, t.kind, t.name, c.old, c.new
        FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::bytea[]) AS c(id, part, old, new)
        JOIN auth_config_secrets AS t ON t.tenant_id = $1 AND t.auth_config_id = c.id
            AND t.kind || '/' || t.name = c.part AND t.sealed_value = c.old
        ORDER BY t.auth_config_id, t.kind, t.name FOR UPDATE OF t SKIP LOCKED)
    UPDATE auth_config_secrets AS t SET sealed_value = free.new FROM free
    WHERE t.tenant_id = $1 AND t.auth_config_id = free.auth_config_id AND t.kind = free.kind AND t.name = free.name
        AND t.sealed_value = free.old";
pub(super) const SOME_CREDENTIALS: &str = "-- connections: some credentials under other data keys
    SELECT id, part, sealed FROM (
        SELECT id, part, sealed, rank() OVER (ORDER BY id) AS place, sum(octet_length(sealed)) OVER (ORDER BY id) AS bytes
        FROM (SELECT connection_id AS id, '' AS part, CASE WHEN substring(sealed_credential FROM 3 FOR 4) <> $3
                THEN sealed_credential END AS sealed
            FROM connections WHERE tenant_id = $1 AND connection_id > $2
            ORDER BY connection_id FETCH FIRST $4 ROWS WITH TIES) AS batch) AS measured
    WHERE place = 1 OR coalesce(bytes, 0) <= $5 ORDER BY id";
pub(super) const REPLACE_CREDENTIALS: &str = "-- connections: replace credentials
    WITH free AS MATERIALIZED (
        SELECT t.connection_id, c.old, c.new FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::bytea[])
            AS c(id, part, old, new)
        JOIN connections AS t ON t.tenant_id = $1 AND t.connection_id = c.id AND t.sealed_credential = c.old
        ORDER BY t.connection_id FOR UPDATE OF t SKIP LOCKED)
    UPDATE connections AS t SET sealed_credential = free.new FROM free
    WHERE t.tenant_id = $1 AND t.connection_id = free.connection_id AND t.sealed_credential = free.old";
pub(super) const SOME_RETIRED: &str = "-- retired_connections: some credentials under other data keys
    SELECT id, part, sealed FROM (
        SELECT id, part, sealed, rank() OVER (ORDER BY id) AS place, sum(octet_length(sealed)) OVER (ORDER BY id) AS bytes
        FROM (SELECT connection_id AS id, '' AS part, CASE WHEN substring(sealed_credential FROM 3 FOR 4) <> $3
                THEN sealed_credential END AS sealed
            FROM retired_connections WHERE tenant_id = $1 AND connection_id > $2
            ORDER BY connection_id FETCH FIRST $4 ROWS WITH TIES) AS batch) AS measured
    WHERE place = 1 OR coalesce(bytes, 0) <= $5 ORDER BY id";
pub(super) const REPLACE_RETIRED: &str = "-- retired_connections: replace credentials
    WITH free AS MATERIALIZED (
        SELECT t.connection_id, c.old, c.new FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::bytea[])
            AS c(id, part, old, new)
        JOIN retired_connections AS t ON t.tenant_id = $1 AND t.connection_id = c.id AND t.sealed_credential = c.old
        ORDER BY t.connection_id FOR UPDATE OF t SKIP LOCKED)
    UPDATE retired_connections AS t SET sealed_credential = free.new FROM free
    WHERE t.tenant_id = $1 AND t.connection_id = free.connection_id AND t.sealed_credential = free.old";
pub(super) const SOME_HEADERS: &str = "-- strata_external_servers: some headers under other data keys
    SELECT id, part, sealed FROM (
        SELECT id, part, sealed, rank() OVER (ORDER BY id) AS place, sum(octet_length(sealed)) OVER (ORDER BY id) AS bytes
        FROM (SELECT strata_id AS id, name AS part, CASE WHEN substring(sealed_headers FROM 3 FOR 4) <> $3
                THEN sealed_headers END AS sealed
            FROM strata_external_servers WHERE tenant_id = $1 AND strata_id > $2
            ORDER BY strata_id FETCH FIRST $4 ROWS WITH TIES) AS batch) AS measured
    WHERE place = 1 OR coalesce(bytes, 0) <= $5 ORDER BY id";
pub(super) const REPLACE_HEADERS: &str = "-- strata_external_servers: replace headers
    WITH free AS MATERIALIZED (
        SELECT t.strata_id, t.name, c.old, c.new
        FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::bytea[]) AS c(id, part, old, new)
        JOIN strata_external_servers AS t ON t.tenant_id = $1 AND t.strata_id = c.id AND t.name = c.part
            AND t.sealed_headers = c.old
        ORDER BY t.strata_id, t.name FOR UPDATE OF t SKIP LOCKED)
    UPDATE strata_external_servers AS t SET sealed_headers = free.new FROM free
    WHERE t.tenant_id = $1 AND t.strata_id = free.strata_id AND t.name = free.name AND t.sealed_headers = free.old";
pub(super) const SOME_LINK_DATA: &str = "-- link_tokens: some data under other data keys
    SELECT id, part, sealed FROM (
        SELECT id, part, sealed, rank() OVER (ORDER BY id) AS place, sum(octet_length(sealed)) OVER (ORDER BY id) AS bytes
        FROM (SELECT connection_id AS id, encode(token_hash, 'hex') AS part,
                CASE WHEN substring(sealed_data FROM 3 FOR 4) <> $3 THEN sealed_data END AS sealed
            FROM link_tokens WHERE tenant_id = $1 AND connection_id > $2
            ORDER BY connection_id FETCH FIRST $4 ROWS WITH TIES) AS batch) AS measured
    WHERE place = 1 OR coalesce(bytes, 0) <= $5 ORDER BY id";
pub(super) const REPLACE_LINK_DATA: &str = "-- link_tokens: replace data
    WITH free AS MATERIALIZED (
        SELECT t.token_hash, c.old, c.new
        FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::bytea[]) AS c(id, part, old, new)
        JOIN link_tokens AS t ON t.tenant_id = $1 AND t.token_hash = decode(c.part, 'hex') AND t.sealed_data = c.old
        ORDER BY t.token_hash FOR UPDATE OF t SKIP LOCKED)
    UPDATE link_tokens AS t SET sealed_data = free.new FROM free
    WHERE t.tenant_id = $1 AND t.token_hash = free.token_hash AND t.sealed_data = free.old";
// One statement and so one snapshot: bytes that move from one table to the other are seen in one of them.
pub(super) const ANY_LEFT: &str = "-- every sealed column: anything under another data key
    SELECT EXISTS (SELECT FROM auth_configs WHERE tenant_id = $1
            AND substring(sealed_proxy_auth_key FROM 3 FOR 4) <> $2)
        OR EXISTS (SELECT FROM auth_config_secrets WHERE tenant_id = $1
            AND substring(sealed_value FROM 3 FOR 4) <> $2)
        OR EXISTS (SELECT FROM connections WHERE tenant_id = $1
            AND substring(sealed_credential FROM 3 FOR 4) <> $2)
        OR EXISTS (SELECT FROM retired_connections WHERE tenant_id = $1
            AND substring(sealed_credential FROM 3 FOR 4) <> $2)
        OR EXISTS (SELECT FROM strata_external_servers WHERE tenant_id = $1
            AND substring(sealed_headers FROM 3 FOR 4) <> $2)
        OR EXISTS (SELECT FROM link_tokens WHERE tenant_id = $1
            AND substring(sealed_data FROM 3 FOR 4) <> $2)";
pub(super) const COUNT: &str = "-- every sealed column: number of a tenant's cells
    SELECT (SELECT count(*) FROM auth_configs WHERE tenant_id = $1)
        + (SELECT count(*) FROM auth_config_secrets WHERE tenant_id = $1)
        + (SELECT count(*) FROM connections WHERE tenant_id = $1)
        + (SELECT count(*) FROM retired_connections WHERE tenant_id = $1)
        + (SELECT count(*) FROM strata_external_servers WHERE tenant_id = $1)
        + (SELECT count(*) FROM link_tokens WHERE tenant_id = $1)";
