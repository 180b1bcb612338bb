-- The lists by status cost the same however much has another one. Most are delivered, and what is has no part in the first two.
drop index webhook_deliveries_failed;
drop index webhook_deliveries_failed_event;
create index webhook_deliveries_open on webhook_deliveries (tenant_id, webhook_id, status, id) where status <> 'delivered';
create index webhook_deliveries_open_event on webhook_deliveries (tenant_id, webhook_id, event, status, id) where status <> 'delivered';
create index webhook_deliveries_delivered on webhook_deliveries (tenant_id, webhook_id, id) where status = 'delivered';
