-- Until when no further mail of a kind goes to an address. The key is a hash: this is no list of addresses.
create table mail_pauses (
  key text not null,
  ends_at timestamptz not null,
  constraint mail_pauses_pkey primary key (key)
);
select tenantry.global_table('mail_pauses', 'an address is spared mails whichever tenant, or none, they come from');
create index mail_pauses_ends_at_idx on mail_pauses (ends_at);
