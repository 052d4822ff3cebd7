-- The list of migrations is asked for by phase and by label, in the order of ids.
DROP INDEX migration_phase;
CREATE INDEX migration_phase ON migration (phase, id);
CREATE INDEX migration_labels ON migration USING gin (labels jsonb_path_ops);
-- What looks many times a second for routes that move.
CREATE INDEX route_unsettled ON route (changed_at) WHERE state <> 'STABLE';
