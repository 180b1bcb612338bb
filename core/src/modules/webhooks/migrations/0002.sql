-- What was sent of one event, however rare it is among all that was sent.
create index webhook_deliveries_event on webhook_deliveries (tenant_id, webhook_id, event, id);
create index webhook_deliveries_failed_event on webhook_deliveries (tenant_id, webhook_id, event, id) where status = 'failed';
