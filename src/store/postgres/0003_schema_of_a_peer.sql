-- works with programs from schema 1
-- Which schema the program of each peer knows, so that a migration that would break it can wait (store/sql/migrate.h).
alter table peer add column schema integer not null default 0;
