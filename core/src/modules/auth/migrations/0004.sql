-- Where the refresh tokens of a session travel, for as long as it lives: in a cookie that no script reads, or in bodies.
alter table sessions add column in_cookie boolean not null default false;
