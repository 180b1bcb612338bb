-- Those who run the installation ask what was sent to an address, by whichever tenant.
create index mails_to_idx on mails (address, created_at, id);
create index mail_suppressions_address_idx on mail_suppressions (email);
