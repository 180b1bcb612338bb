-- A tenant may come back by an import of an export of it, under the id that it had, and end once more: each end has its certificate.
alter table tenant_removal_certificates drop constraint tenant_removal_certificates_pkey;
alter table tenant_removal_certificates add constraint tenant_removal_certificates_pkey primary key (tenant_id, purged_at);
