-- A ledger as a dsr wrote it that kept no trail: two deletions, one of them not sent yet.
PRAGMA foreign_keys = OFF;
CREATE TABLE attempts (
        request       TEXT NOT NULL,
        number        BIGINT NOT NULL,
        attempt       BIGINT NOT NULL,
        sender        TEXT NOT NULL,
        started_at    TEXT NOT NULL,
        ended_at      TEXT,
        outcome       TEXT,
        reason        TEXT,
        PRIMARY KEY (request, number, attempt),
        FOREIGN KEY (request, number) REFERENCES jobs (request, number)
    );
INSERT INTO "attempts" VALUES('c91txqy5wz8gmp3c',1,1,'a4ed2a72-97e0-40d1-833d-36ec0a988a8b','2026-11-22T19:53:13.399Z','2026-11-22T19:53:13.415Z','accepted',NULL);
CREATE TABLE downloads (
        request       TEXT NOT NULL,
        number        BIGINT NOT NULL,
        path          TEXT NOT NULL,
        bytes         BIGINT NOT NULL,
        sha256        TEXT NOT NULL,
        fetched_at    TEXT NOT NULL,
        PRIMARY KEY (request, number),
        FOREIGN KEY (request, number) REFERENCES jobs (request, number)
    );
CREATE TABLE extensions (
        request       TEXT PRIMARY KEY REFERENCES requests (id),
        at            TEXT NOT NULL,
        day           TEXT NOT NULL,
        reason        TEXT NOT NULL,
        due_before    TEXT NOT NULL,
        due_after     TEXT NOT NULL
    );
CREATE TABLE jobs (
        request            TEXT NOT NULL REFERENCES requests (id),
        number             BIGINT NOT NULL,
        subject_request_id TEXT NOT NULL,
        ids_count          BIGINT NOT NULL,
        state              TEXT NOT NULL,
        reason             TEXT,
        task_id            TEXT,
        attempts           BIGINT NOT NULL,
        not_before         TEXT,
        mixpanel_status    TEXT,
        submitted_at       TEXT,
        checked_at         TEXT, abandoned_at TEXT, linked BIGINT NOT NULL DEFAULT 0, next_check TEXT, told TEXT,
        PRIMARY KEY (request, number)
    );
INSERT INTO "jobs" VALUES('c91txqy5wz8gmp3c',1,'68fc7899-425c-4580-a39f-eb8defa36de2',1,'accepted',NULL,'15c054d2-a3be-48a3-bb55-96d09f87d4b4',1,NULL,NULL,'2026-11-22T19:53:13.415Z',NULL,NULL,0,'2026-11-22T19:53:13.415Z',NULL);
INSERT INTO "jobs" VALUES('hxdpmjd862epj7sy',1,'dfc121f3-99dc-493a-8ae3-da25fd49ef96',2,'planned',NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL);
CREATE TABLE learned (
        project_key   TEXT NOT NULL,
        kind          TEXT NOT NULL,
        batch         BIGINT NOT NULL,
        PRIMARY KEY (project_key, kind)
    );
CREATE TABLE pace (
        project_key   TEXT PRIMARY KEY,
        next_at       BIGINT NOT NULL,
        blocked_until BIGINT NOT NULL
    );
CREATE TABLE payloads (
        request       TEXT NOT NULL,
        number        BIGINT NOT NULL,
        ids           TEXT NOT NULL, packed BYTEA,
        PRIMARY KEY (request, number),
        FOREIGN KEY (request, number) REFERENCES jobs (request, number)
    );
INSERT INTO "payloads" VALUES('c91txqy5wz8gmp3c',1,'',X'28B52FFD240319000061310A3839273D');
INSERT INTO "payloads" VALUES('hxdpmjd862epj7sy',1,'',X'28B52FFD240631000062310A62320A5B37DA18');
CREATE TABLE rejected_tokens (
        service       TEXT NOT NULL,
        place         TEXT NOT NULL,
        fingerprint   TEXT NOT NULL,
        at            TEXT NOT NULL,
        PRIMARY KEY (service, place, fingerprint)
    );
CREATE TABLE requests (
        id            TEXT PRIMARY KEY,
        kind          TEXT NOT NULL,
        law           TEXT NOT NULL,
        disclosure    TEXT,
        project       TEXT NOT NULL,
        project_key   TEXT NOT NULL,
        region        TEXT NOT NULL,
        reference     TEXT,
        received      TEXT NOT NULL,
        due           TEXT NOT NULL,
        created       TEXT NOT NULL,
        source        TEXT NOT NULL,
        ids_read      BIGINT NOT NULL,
        ids_unique    BIGINT NOT NULL
    , ids_digest TEXT NOT NULL DEFAULT '', ids_excluded BIGINT NOT NULL DEFAULT 0, confirm_by TEXT);
INSERT INTO "requests" VALUES('c91txqy5wz8gmp3c','delete','gdpr',NULL,'sandbox','23169be4e23ffbfe67796f641f550dad','us',NULL,'2026-11-22','2026-12-22','2026-11-22T19:53:13.390Z','one id on the command line',1,1,'2056b8e859ad7145224111a154b82e3b-1',0,NULL);
INSERT INTO "requests" VALUES('hxdpmjd862epj7sy','delete','gdpr',NULL,'sandbox','23169be4e23ffbfe67796f641f550dad','us',NULL,'2026-11-22','2026-12-22','2026-11-22T19:53:46.390Z','one id on the command line, one id on the command line',2,2,'e8953bce18d6f83dec547fbb6b138205-2',0,NULL);
CREATE TABLE steps (
        request       TEXT NOT NULL,
        number        BIGINT NOT NULL,
        step          BIGINT NOT NULL,
        from_state    TEXT NOT NULL,
        to_state      TEXT NOT NULL,
        at            TEXT NOT NULL,
        PRIMARY KEY (request, number, step),
        FOREIGN KEY (request, number) REFERENCES jobs (request, number)
    );
INSERT INTO "steps" VALUES('c91txqy5wz8gmp3c',1,1,'planned','sending','2026-11-22T19:53:13.399Z');
INSERT INTO "steps" VALUES('c91txqy5wz8gmp3c',1,2,'sending','accepted','2026-11-22T19:53:13.415Z');
CREATE INDEX jobs_by_state ON jobs (state);
CREATE INDEX jobs_by_task ON jobs (task_id);
CREATE INDEX requests_by_ids ON requests (ids_digest);
CREATE INDEX jobs_by_standing ON jobs
        (request, state, mixpanel_status, abandoned_at, linked, ids_count);
CREATE INDEX jobs_by_next_check ON jobs (next_check) WHERE next_check IS NOT NULL;
CREATE INDEX jobs_by_answer ON jobs (request, checked_at) WHERE next_check IS NOT NULL;
PRAGMA user_version = 11;
