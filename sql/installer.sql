-- What migrate itself needs before anything else. Run first; everything in it can be run again.
do $$
begin
  -- with IF NOT EXISTS it would take the right to create schemas even where there is one
  if to_regnamespace('daybook') is null then
    create schema daybook;
  end if;
end $$;
comment on schema daybook is 'Daybook, an event store. Start with the views events and streams, and the functions append_event and read_stream.';

-- the table of postgres-migrations, which would take a table of this name in any other schema for its own
create table if not exists daybook.migrations (
  id integer primary key,
  name varchar(100) not null unique,
  hash varchar(40) not null,
  executed_at timestamp default current_timestamp
);
comment on table daybook.migrations is 'The files of migrations/ that have been applied. Written by postgres-migrations.';
comment on column daybook.migrations.id is 'Number of the file.';
comment on column daybook.migrations.name is 'Name of the file, without its number.';
comment on column daybook.migrations.hash is 'SHA-1 of the file''s name and text: a file is never edited once it has been applied.';
comment on column daybook.migrations.executed_at is 'When it was applied.';
comment on index daybook.migrations_pkey is 'One row a file.';
comment on index daybook.migrations_name_key is 'Each name once.';

create table if not exists daybook.installed_objects (
  name text collate "C" not null,
  hash text not null,
  installed_at timestamptz not null default now(),
  constraint installed_objects_pkey primary key (name)
);
comment on table daybook.installed_objects is 'The files of sql/ as they were last installed. Written by migrate.';
comment on column daybook.installed_objects.name is 'The file, from sql/ on.';
comment on column daybook.installed_objects.hash is 'SHA-256 of its text.';
comment on column daybook.installed_objects.installed_at is 'When it was last installed.';
comment on index daybook.installed_objects_pkey is 'One row a file.';

create table if not exists daybook.installation (
  singleton boolean not null default true check (singleton),
  version text not null,
  installed_at timestamptz not null default now(),
  installed_by text not null default current_user,
  constraint installation_pkey primary key (singleton)
);
comment on table daybook.installation is 'The version of Daybook that was installed last, one row. An older version changes nothing here.';
comment on column daybook.installation.singleton is 'Keeps the table to one row.';
comment on column daybook.installation.version is 'Version of the package.';
comment on column daybook.installation.installed_at is 'When that version, or a change of its objects, was installed.';
comment on column daybook.installation.installed_by is 'The database role that did it.';
comment on index daybook.installation_pkey is 'One row.';
