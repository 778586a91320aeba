-- What the sweeper looks for: open questions whose time has passed. Partial, so that it costs a write only when one is raised, climbs or is closed.
CREATE INDEX exceptions_due ON exceptions (due_at) WHERE state = 'open';
