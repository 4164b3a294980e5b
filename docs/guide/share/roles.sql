-- The roles of a shared ledger. Run it as the owner of the ledger, after `dsr ledger init` and after
-- each `dsr ledger migrate`:
--     dsr ledger roles | psql postgres://OWNER@HOST/DATABASE
-- Then make a login for each person or host:
--     CREATE ROLE anna LOGIN IN ROLE dsr_operator;
\set ON_ERROR_STOP on
BEGIN;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'dsr_operator') THEN
        CREATE ROLE dsr_operator NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'dsr_auditor') THEN
        CREATE ROLE dsr_auditor NOLOGIN;
    END IF;
END
$$;

REVOKE ALL ON SCHEMA dsr FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA dsr FROM PUBLIC, dsr_operator, dsr_auditor;
GRANT USAGE ON SCHEMA dsr TO dsr_operator, dsr_auditor;

-- An operator's dsr sends and records. It can neither change nor remove an entry of the audit trail,
-- and cannot change the format.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA dsr TO dsr_operator;
REVOKE UPDATE, DELETE ON dsr.audit FROM dsr_operator;
REVOKE INSERT, DELETE ON dsr.audit_head FROM dsr_operator;
REVOKE INSERT, UPDATE, DELETE ON dsr.ledger_schema, dsr.sharing FROM dsr_operator;

-- An auditor's dsr reads everything and changes nothing. Ids are sealed: they need the ledger key.
GRANT SELECT ON ALL TABLES IN SCHEMA dsr TO dsr_auditor;

-- Not even the owner changes the trail by accident.
CREATE OR REPLACE FUNCTION dsr.audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is only ever appended to';
END
$$;
DROP TRIGGER IF EXISTS audit_stays ON dsr.audit;
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON dsr.audit
    FOR EACH STATEMENT EXECUTE FUNCTION dsr.audit_stays();

COMMIT;
