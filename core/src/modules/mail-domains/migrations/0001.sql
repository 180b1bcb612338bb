-- The domain that a tenant's mails come from, at most one for each.
create table mail_domains (
  tenant_id uuid not null,
  id uuid not null,
  domain text not null check (length(domain) between 4 and 200),
  from_address text not null check (length(from_address) <= 254),
  -- What has to stand in the domain's DNS, so that nobody takes one that is not theirs.
  challenge text not null check (length(challenge) <= 200),
  -- Begins the names of both keys.
  selector text not null check (length(selector) <= 40),
  -- Which of the two keys signs; the other one follows it, or came before it.
  signing smallint not null check (signing in (1, 2)),
  public_1 text not null check (length(public_1) <= 2000),
  public_2 text not null check (length(public_2) <= 2000),
  -- Sealed.
  private_1 text not null,
  private_2 text not null,
  -- The other key is to sign as soon as DNS shows it.
  rotation_asked_at timestamptz,
  -- Until when the key that signed before stays as it is, for mails that are under way.
  retires_at timestamptz,
  status text not null check (status in ('pending', 'verified', 'failing')),
  problem text check (problem in ('not_proven', 'key_missing', 'taken', 'unreachable')),
  -- By record: what the last look-up found.
  seen jsonb not null,
  checked_at timestamptz,
  -- Null: not until somebody asks for it.
  next_check_at timestamptz,
  verified_at timestamptz,
  -- Since when no name server has said anything about the records that count.
  unreachable_since timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id),
  constraint mail_domains_rotation_check check (rotation_asked_at is null or retires_at is null)
);
create unique index mail_domains_tenant_id_key on mail_domains (tenant_id);
create index mail_domains_next_check_at_idx on mail_domains (next_check_at) where next_check_at is not null;
select tenantry.tenant_table('mail_domains');
alter table mail_domains add constraint mail_domains_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade;

-- Whose a domain is: the tenant whose challenge DNS shows. Of the challenge the hash alone.
create table mail_domain_claims (
  domain text not null check (length(domain) between 4 and 200),
  tenant_id uuid not null,
  challenge_hash text not null,
  claimed_at timestamptz not null,
  primary key (domain)
);
create index mail_domain_claims_tenant_id_idx on mail_domain_claims (tenant_id);
select tenantry.global_table('mail_domain_claims', 'a domain belongs to one tenant among all');
