-- Indexes that statements of every day were found to lack, by the test that plans each of them at 100,000 rows.

-- Each sweep of the server asks for the tenants that are marked deleted: few of very many.
CREATE INDEX tenants_deleted ON tenants (tenant_id) WHERE deleted_at IS NOT NULL;
