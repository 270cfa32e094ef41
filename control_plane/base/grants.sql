-- What the service's own role may do, where it owns nothing. Run after each migration;
-- the names in braces are filled in.
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role};

-- Written once.
REVOKE UPDATE, DELETE ON events, ledger_transfers, ledger_entries, gift_transactions,
    audit_log FROM {role};
REVOKE DELETE ON wallets FROM {role};
DO $$
DECLARE
    partition regclass;
BEGIN
    FOR partition IN SELECT inhrelid FROM pg_inherits
        WHERE inhparent = '{schema}.events'::regclass
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM {role}', partition);
    END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION make_event_partitions, drop_old_events, settle_event_era
    TO {role};
REVOKE INSERT, UPDATE, DELETE ON schema_migrations, event_eras, audit_head
    FROM {role};
