-- A ledger whose trail has no digests of rows: a deletion under way, one that is done, a fetched export.
PRAGMA foreign_keys = OFF;
CREATE TABLE approvals (
        request       TEXT NOT NULL REFERENCES plans (request),
        number        BIGINT NOT NULL,
        account       TEXT NOT NULL,
        host          TEXT NOT NULL,
        at            TEXT NOT NULL,
        PRIMARY KEY (request, number)
    );
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
INSERT INTO "attempts" VALUES('m4p5k94g1pmx2krr',1,1,'33be8f03-2438-4bb9-9afc-94a7c8921ad9','2026-11-29T06:10:51.829Z','2026-11-29T06:10:51.859Z','accepted',NULL);
INSERT INTO "attempts" VALUES('n2bt25yae2wxtjpe',1,1,'b0e42010-4c78-4276-8f4a-340f74a6e30c','2026-11-29T06:10:52.900Z','2026-11-29T06:10:52.924Z','accepted',NULL);
INSERT INTO "attempts" VALUES('mm7scdhqv1w3cpwt',1,1,'f6c78dcb-a1a2-4cbc-b380-6e2740efd300','2026-11-29T06:10:53.964Z','2026-11-29T06:10:53.989Z','accepted',NULL);
CREATE TABLE audit (
        seq           INTEGER PRIMARY KEY,
        at            TEXT NOT NULL,
        actor_user    TEXT NOT NULL,
        actor_host    TEXT NOT NULL,
        command       TEXT NOT NULL,
        version       TEXT NOT NULL,
        event         TEXT NOT NULL,
        request       TEXT,
        job           BIGINT,
        details       TEXT NOT NULL,
        hash          TEXT NOT NULL
    );
INSERT INTO "audit" VALUES(1,'2026-11-29T06:10:51.757Z','root','vm','dsr delete','0.1.0','trail_started',NULL,NULL,'{"trail":"adf2105e-c31c-4a20-8cde-de11d6415879","before":{"requests":0,"jobs":0,"attempts":0,"downloads":0,"extensions":0,"purges":0,"digest":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}','a0a27e9d194b1f0910425446cf387e8676a8bdcbca9e5f7690731535202a2c27');
INSERT INTO "audit" VALUES(2,'2026-11-29T06:10:51.823Z','root','vm','dsr delete','0.1.0','request_recorded','m4p5k94g1pmx2krr',NULL,'{"kind":"delete","law":"gdpr","disclosure":null,"project":"sandbox","project_key":"23169be4e23ffbfe67796f641f550dad","region":"us","reference":null,"received":"2026-11-29","due":"2026-12-29","confirm_by":null,"source":"one id on the command line, one id on the command line","ids":{"read":2,"unique":2,"excluded":0},"plan":null,"jobs":1,"job_ids":2,"ids_seal":"5875d1bfcb43e5b441ef4c8b5d3adb82c809c6f9a547ce34b2a54a1e332eb9d9"}','0d4c6bc6c9c5dd391038e45bb9393b960e0f34f388ad8d6ef4c3b5d3b1707262');
INSERT INTO "audit" VALUES(3,'2026-11-29T06:10:51.829Z','root','vm','dsr delete','0.1.0','job_moved','m4p5k94g1pmx2krr',1,'{"from":"planned","why":"submit","state":"sending","ids":2,"attempts":1,"task_id":null,"linked":false,"abandoned":false}','c67a93513bea9595d4f9c007c45ec524d5085dbaf8f755a32c349b768477fef8');
INSERT INTO "audit" VALUES(4,'2026-11-29T06:10:51.859Z','root','vm','dsr delete','0.1.0','job_moved','m4p5k94g1pmx2krr',1,'{"from":"sending","why":"answer","state":"accepted","ids":2,"attempts":1,"task_id":"a5b36331-f36f-49f7-b4d4-bfd42649cc96","linked":false,"abandoned":false}','8d8394a7e06ee1c1776b0898a701cd09717533d2aae24d836b3ba5267e1ca748');
INSERT INTO "audit" VALUES(5,'2026-11-29T06:10:51.970Z','root','vm','dsr delete','0.1.0','request_recorded','n2bt25yae2wxtjpe',NULL,'{"kind":"delete","law":"gdpr","disclosure":null,"project":"sandbox","project_key":"23169be4e23ffbfe67796f641f550dad","region":"us","reference":null,"received":"2026-11-29","due":"2026-12-29","confirm_by":null,"source":"`/tmp/d-ids.txt`","ids":{"read":3,"unique":3,"excluded":0},"plan":null,"jobs":1,"job_ids":3,"ids_seal":"1a934c16228dacaf03148e4ee9c08c79acbf29e2e80baa291433de7f2a6500a7"}','2e92dd801153ef0d825473ed9fdee71db3911bd18a148cdaad8ece9d8b17daac');
INSERT INTO "audit" VALUES(6,'2026-11-29T06:10:52.900Z','root','vm','dsr delete','0.1.0','job_moved','n2bt25yae2wxtjpe',1,'{"from":"planned","why":"submit","state":"sending","ids":3,"attempts":1,"task_id":null,"linked":false,"abandoned":false}','87e27695b75ca6196e9e68f5c2f98167a3f1cf910045064969ab90675b95dc41');
INSERT INTO "audit" VALUES(7,'2026-11-29T06:10:52.924Z','root','vm','dsr delete','0.1.0','job_moved','n2bt25yae2wxtjpe',1,'{"from":"sending","why":"answer","state":"accepted","ids":3,"attempts":1,"task_id":"8114842724157571625","linked":false,"abandoned":false}','49f8673ec96b635c3016a71dff319d881c094ec8b6762c43ab207d91128e89ba');
INSERT INTO "audit" VALUES(8,'2026-11-29T06:10:52.996Z','root','vm','dsr export','0.1.0','request_recorded','mm7scdhqv1w3cpwt',NULL,'{"kind":"export","law":"ccpa","disclosure":"data","project":"sandbox","project_key":"23169be4e23ffbfe67796f641f550dad","region":"us","reference":null,"received":"2026-11-29","due":"2027-01-13","confirm_by":"2026-12-11","source":"`/tmp/d-ids.txt`","ids":{"read":3,"unique":3,"excluded":0},"plan":null,"jobs":1,"job_ids":3,"ids_seal":"47fc7f4c7920ebea9bd17b2d9708d971e8898b8b0b1c72f6b4bea0be18f4417c"}','b21b2c00892c64e85cb99f23c8867a5fccf68d2c1656c73f3964c0f4f0821ff6');
INSERT INTO "audit" VALUES(9,'2026-11-29T06:10:53.964Z','root','vm','dsr export','0.1.0','job_moved','mm7scdhqv1w3cpwt',1,'{"from":"planned","why":"submit","state":"sending","ids":3,"attempts":1,"task_id":null,"linked":false,"abandoned":false}','07a3779a62c0933d4d347052607e122dbbc8f4f95ae24ae0d73b97a82417b1aa');
INSERT INTO "audit" VALUES(10,'2026-11-29T06:10:53.989Z','root','vm','dsr export','0.1.0','job_moved','mm7scdhqv1w3cpwt',1,'{"from":"sending","why":"answer","state":"accepted","ids":3,"attempts":1,"task_id":"81822aef-2eec-4b4d-a172-8ed1bd779bf3","linked":false,"abandoned":false}','07130c53048be92c43932ff8e6287590acf3b9dbe48a1ce18ab3f03e7314592e');
INSERT INTO "audit" VALUES(11,'2026-11-29T06:10:56.037Z','root','vm','dsr export','0.1.0','job_moved','mm7scdhqv1w3cpwt',1,'{"from":"accepted","why":"status","state":"running","ids":3,"attempts":1,"task_id":"81822aef-2eec-4b4d-a172-8ed1bd779bf3","linked":false,"abandoned":false}','eea05ae78928dbbeb91f17110523876cc0f401f3fec68b0a369a8d3da2b33ed8');
INSERT INTO "audit" VALUES(12,'2026-11-29T06:10:58.072Z','root','vm','dsr export','0.1.0','job_moved','mm7scdhqv1w3cpwt',1,'{"from":"running","why":"status","state":"done","ids":3,"attempts":1,"task_id":"81822aef-2eec-4b4d-a172-8ed1bd779bf3","linked":false,"abandoned":false}','d7dea223d23609cc3a308bdce31ff202c5f96ed22e5f280a7295441d6f3e7e24');
INSERT INTO "audit" VALUES(13,'2026-11-29T06:11:13.112Z','root','vm','dsr extend','0.1.0','request_extended','m4p5k94g1pmx2krr',NULL,'{"day":"2026-11-29","due_before":"2026-12-29","due_after":"2027-03-01"}','23a99e658878d3f3be76cc149a8858d4c9c40b8ea89141687b3f9323b3eafd00');
INSERT INTO "audit" VALUES(14,'2026-11-29T06:11:29.645Z','root','vm','dsr cancel','0.1.0','cancellation_asked','n2bt25yae2wxtjpe',NULL,'{"jobs":1}','9044416217b003ff8b8e68ae267e5a021304ca1f68d5ad4c9d983460f2a6148a');
INSERT INTO "audit" VALUES(15,'2026-11-29T06:11:30.702Z','root','vm','dsr cancel','0.1.0','job_moved','n2bt25yae2wxtjpe',1,'{"from":"accepted","why":"status","state":"done","ids":3,"attempts":1,"task_id":"8114842724157571625","linked":false,"abandoned":false}','d8a95963e620a6fdd9501557ee7a07020fabf501824a8991ffc98dc99e17ef61');
INSERT INTO "audit" VALUES(16,'2026-11-29T06:11:30.752Z','root','vm','dsr cancel','0.1.0','ledger_key_recorded',NULL,NULL,'{"fingerprint":"49c3dcf59f148fd5"}','d213746d2fbd189dbf812e916769a1b4e88095d6abfe4a7107b02e323d7e3bb6');
INSERT INTO "audit" VALUES(17,'2026-11-29T06:11:30.752Z','root','vm','dsr cancel','0.1.0','ids_hashed','n2bt25yae2wxtjpe',NULL,'{"jobs":[1],"ids":3}','ea56d9cbe55f45744562631baa70ba447044b1194d52a585ac7ef036820f325c');
INSERT INTO "audit" VALUES(18,'2026-11-29T06:11:32.005Z','root','vm','dsr download','0.1.0','export_fetched','mm7scdhqv1w3cpwt',1,'{"bytes":1185,"sha256":"06a6c876a5b68a635bcb122a3669efa02dbe71577bc001f30aabd8f599a176b6"}','36dfc374c751871b5586e8556c0e1f5ff2d6d8ca7432038248a92816fb16c36a');
CREATE TABLE audit_head (
        count         BIGINT NOT NULL,
        hash          TEXT NOT NULL
    );
INSERT INTO "audit_head" VALUES(18,'36dfc374c751871b5586e8556c0e1f5ff2d6d8ca7432038248a92816fb16c36a');
CREATE TABLE downloads (
        request       TEXT NOT NULL,
        number        BIGINT NOT NULL,
        path          TEXT NOT NULL,
        bytes         BIGINT NOT NULL,
        sha256        TEXT NOT NULL,
        fetched_at    TEXT NOT NULL, first_fetched_at TEXT,
        PRIMARY KEY (request, number),
        FOREIGN KEY (request, number) REFERENCES jobs (request, number)
    );
INSERT INTO "downloads" VALUES('mm7scdhqv1w3cpwt',1,'/exports/dsr-mm7scdhq/mm7scdhqv1w3cpwt-1.zip',1185,'06a6c876a5b68a635bcb122a3669efa02dbe71577bc001f30aabd8f599a176b6','2026-11-29T06:11:32.005Z','2026-11-29T06:11:32.005Z');
CREATE TABLE extensions (
        request       TEXT PRIMARY KEY REFERENCES requests (id),
        at            TEXT NOT NULL,
        day           TEXT NOT NULL,
        reason        TEXT NOT NULL,
        due_before    TEXT NOT NULL,
        due_after     TEXT NOT NULL
    );
INSERT INTO "extensions" VALUES('m4p5k94g1pmx2krr','2026-11-29T06:11:13.112Z','2026-11-29','many requests','2026-12-29','2027-03-01');
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
        checked_at         TEXT, abandoned_at TEXT, linked BIGINT NOT NULL DEFAULT 0, next_check TEXT, told TEXT, may_be_double BIGINT NOT NULL DEFAULT 0,
        PRIMARY KEY (request, number)
    );
INSERT INTO "jobs" VALUES('m4p5k94g1pmx2krr',1,'8b3f3fa8-2cbb-4fa5-bdf6-517215e2c917',2,'accepted',NULL,'a5b36331-f36f-49f7-b4d4-bfd42649cc96',1,NULL,NULL,'2026-11-29T06:10:51.859Z',NULL,NULL,0,'2026-11-29T06:10:51.859Z',NULL,0);
INSERT INTO "jobs" VALUES('n2bt25yae2wxtjpe',1,'f1007761-1571-4965-b819-46531927e3b2',3,'done',NULL,'8114842724157571625',1,NULL,'SUCCESS','2026-11-29T06:10:52.924Z','2026-11-29T06:11:30.702Z',NULL,0,NULL,NULL,0);
INSERT INTO "jobs" VALUES('mm7scdhqv1w3cpwt',1,'d7c1a371-cff9-4f9d-8fa9-67fdbbafb1ad',3,'done',NULL,'81822aef-2eec-4b4d-a172-8ed1bd779bf3',1,NULL,'SUCCESS','2026-11-29T06:10:53.989Z','2026-11-29T06:10:58.072Z',NULL,0,NULL,NULL,0);
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
INSERT INTO "pace" VALUES('23169be4e23ffbfe67796f641f550dad',1795932692811180,0);
CREATE TABLE payloads (
        request       TEXT NOT NULL,
        number        BIGINT NOT NULL,
        ids           TEXT NOT NULL, packed BYTEA,
        PRIMARY KEY (request, number),
        FOREIGN KEY (request, number) REFERENCES jobs (request, number)
    );
INSERT INTO "payloads" VALUES('m4p5k94g1pmx2krr',1,'',X'28B52FFD240E710000616E6E612D310A616E6E612D320AC64B6C4A');
INSERT INTO "payloads" VALUES('mm7scdhqv1w3cpwt',1,'',X'28B52FFD240949000062310A62320A62330A7B6E5510');
CREATE TABLE payloads_aside (
        request       TEXT NOT NULL,
        number        BIGINT NOT NULL,
        ids           TEXT NOT NULL,
        packed        BYTEA,
        PRIMARY KEY (request, number)
    );
CREATE TABLE people (
        request       TEXT NOT NULL,
        number        BIGINT NOT NULL,
        hashes        BYTEA NOT NULL,
        PRIMARY KEY (request, number),
        FOREIGN KEY (request, number) REFERENCES jobs (request, number)
    );
INSERT INTO "people" VALUES('n2bt25yae2wxtjpe',1,X'8ED135234578B70A09C9D1F365551273A9D28F762DC6D1DFCC14E293F7358481BB40D72432D25F4830A064491A2DC488');
CREATE TABLE people_key (
        fingerprint   TEXT PRIMARY KEY,
        since         TEXT NOT NULL,
        unclean       BIGINT NOT NULL
    );
INSERT INTO "people_key" VALUES('49c3dcf59f148fd5','2026-11-29T06:11:30.752Z',0);
CREATE TABLE plans (
        request       TEXT PRIMARY KEY REFERENCES requests (id),
        digest        TEXT NOT NULL UNIQUE,
        created       TEXT NOT NULL,
        account       TEXT NOT NULL,
        host          TEXT NOT NULL
    );
CREATE TABLE purges (
        at            TEXT NOT NULL,
        closed_before TEXT NOT NULL,
        requests      BIGINT NOT NULL,
        ids           BIGINT NOT NULL,
        first_closed  TEXT NOT NULL,
        last_closed   TEXT NOT NULL
    );
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
    , ids_digest TEXT NOT NULL DEFAULT '', ids_excluded BIGINT NOT NULL DEFAULT 0, confirm_by TEXT, ids_salt TEXT NOT NULL DEFAULT '');
INSERT INTO "requests" VALUES('m4p5k94g1pmx2krr','delete','gdpr',NULL,'sandbox','23169be4e23ffbfe67796f641f550dad','us',NULL,'2026-11-29','2027-03-01','2026-11-29T06:10:51.823Z','one id on the command line, one id on the command line',2,2,'7cb76816fb2274daa9d8e9d7c7f7f0c1-2',0,NULL,'50612d37d66c40ce8136e26d2b183e3c');
INSERT INTO "requests" VALUES('n2bt25yae2wxtjpe','delete','gdpr',NULL,'sandbox','23169be4e23ffbfe67796f641f550dad','us',NULL,'2026-11-29','2026-12-29','2026-11-29T06:10:51.970Z','`/tmp/d-ids.txt`',3,3,'0000000000000000000000000000000000',0,NULL,'00000000000000000000000000000000');
INSERT INTO "requests" VALUES('mm7scdhqv1w3cpwt','export','ccpa','data','sandbox','23169be4e23ffbfe67796f641f550dad','us',NULL,'2026-11-29','2027-01-13','2026-11-29T06:10:52.996Z','`/tmp/d-ids.txt`',3,3,'0000000000000000000000000000000000',0,'2026-12-11','00000000000000000000000000000000');
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
INSERT INTO "steps" VALUES('m4p5k94g1pmx2krr',1,1,'planned','sending','2026-11-29T06:10:51.829Z');
INSERT INTO "steps" VALUES('m4p5k94g1pmx2krr',1,2,'sending','accepted','2026-11-29T06:10:51.859Z');
INSERT INTO "steps" VALUES('n2bt25yae2wxtjpe',1,1,'planned','sending','2026-11-29T06:10:52.900Z');
INSERT INTO "steps" VALUES('n2bt25yae2wxtjpe',1,2,'sending','accepted','2026-11-29T06:10:52.924Z');
INSERT INTO "steps" VALUES('mm7scdhqv1w3cpwt',1,1,'planned','sending','2026-11-29T06:10:53.964Z');
INSERT INTO "steps" VALUES('mm7scdhqv1w3cpwt',1,2,'sending','accepted','2026-11-29T06:10:53.989Z');
INSERT INTO "steps" VALUES('mm7scdhqv1w3cpwt',1,3,'accepted','running','2026-11-29T06:10:56.037Z');
INSERT INTO "steps" VALUES('mm7scdhqv1w3cpwt',1,4,'running','done','2026-11-29T06:10:58.072Z');
INSERT INTO "steps" VALUES('n2bt25yae2wxtjpe',1,3,'accepted','done','2026-11-29T06:11:30.702Z');
CREATE INDEX jobs_by_state ON jobs (state);
CREATE INDEX jobs_by_task ON jobs (task_id);
CREATE INDEX requests_by_ids ON requests (ids_digest);
CREATE INDEX jobs_by_standing ON jobs
        (request, state, mixpanel_status, abandoned_at, linked, ids_count);
CREATE INDEX jobs_by_next_check ON jobs (next_check) WHERE next_check IS NOT NULL;
CREATE INDEX jobs_by_answer ON jobs (request, checked_at) WHERE next_check IS NOT NULL;
CREATE INDEX audit_by_job ON audit (request, job);
CREATE INDEX requests_by_received ON requests (received, id);
CREATE INDEX requests_by_created ON requests (created);
PRAGMA user_version = 17;
