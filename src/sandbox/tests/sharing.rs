//! The state on disk: kept, private, and shared by several sandboxes.

use std::sync::Arc;

use super::*;

#[tokio::test]
async fn state_carries_over_from_one_run_to_the_next() {
    let sandbox = Sandbox::new();
    let (kept, cancelled) = (
        sandbox.created(DELETIONS, "a").await,
        sandbox.created(DELETIONS, "b").await,
    );
    assert_eq!(sandbox.cancel(&cancelled).await.status, 204);
    let Sandbox {
        running,
        client,
        project,
        folder,
    } = sandbox;
    drop(running);
    let running = start(patient_settings(folder.path())).expect("a sandbox");
    let sandbox = Sandbox {
        running,
        client,
        project,
        folder,
    };
    assert_eq!(sandbox.get(DELETIONS, &kept).await.task_status(), "PENDING");
    assert_eq!(
        sandbox.get(DELETIONS, &cancelled).await.task_status(),
        "REVOKED"
    );
    assert_eq!(
        sandbox
            .create(DELETIONS, json!({"distinct_ids": ["a"]}))
            .await
            .status,
        409
    );
}

#[cfg(unix)]
#[test]
fn state_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("new").join("sandbox");
    let running = start(patient_settings(&folder)).expect("a sandbox");
    let mode = |path: &Path| path.metadata().expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let files = std::fs::read_dir(&folder).expect("a folder");
    let modes: Vec<_> = files
        .map(|file| mode(&file.expect("a file").path()))
        .collect();
    assert_eq!(modes, [0o600; 3], "the database, -wal and -shm");
    drop(running);
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error() {
    let parent = tempfile::tempdir().expect("a folder");
    let file = parent.path().join("file");
    std::fs::write(&file, "").expect("a file");
    assert!(matches!(
        start(patient_settings(&file.join("sandbox"))),
        Err(SandboxError::Folder { .. })
    ));
}

#[test]
fn state_of_a_newer_version_is_refused_untouched() {
    let sandbox = Sandbox::new();
    sandbox
        .database()
        .pragma_update(None, "user_version", 99)
        .expect("a version");
    match start(patient_settings(sandbox.folder.path())) {
        Err(SandboxError::NewerState { found: 99, known }) => assert!(known < 99),
        other => panic!("{other:?}"),
    }
}

#[test]
fn many_sandboxes_may_start_on_a_new_folder_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let starting: Vec<_> = (0..8)
        .map(|_| {
            let settings = patient_settings(folder.path());
            std::thread::spawn(move || start(settings))
        })
        .collect();
    let running: Vec<_> = starting
        .into_iter()
        .map(|thread| thread.join().expect("a thread"))
        .collect();
    for sandbox in &running {
        assert!(sandbox.is_ok(), "{sandbox:?}");
    }
    let connection = Connection::open(folder.path().join("server.db")).expect("the state");
    let keys: i64 = connection
        .query_row("SELECT COUNT(*) FROM secret", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(keys, 1);
}

#[tokio::test]
async fn of_many_deletions_of_one_id_at_once_one_is_created() {
    let first = Arc::new(Sandbox::new());
    let second = start(patient_settings(first.folder.path())).expect("a sandbox");
    let urls = [first.running.api_url(), second.api_url()];
    let calls: Vec<_> = (0..20)
        .map(|number| {
            let url = format!("{}{DELETIONS}", urls[number % 2]);
            let request = client()
                .post(url)
                .query(&[("token", &first.project)])
                .bearer_auth(OAUTH_TOKEN);
            tokio::spawn(send(request.json(
                &json!({"distinct_ids": [format!("only-{number}"), "user-17"]}),
            )))
        })
        .collect();
    let (mut created, mut conflicts) = (Vec::new(), Vec::new());
    for call in calls {
        let reply = call.await.expect("a call");
        match reply.status {
            201 => created.push(reply.task_id()),
            409 => conflicts.push(reply.body["error"]["conflicting_task_ids"].clone()),
            other => panic!("{other}: {}", reply.body),
        }
    }
    assert_eq!((created.len(), conflicts.len()), (1, 19));
    assert!(conflicts.iter().all(|tasks| *tasks == json!(created)));
    assert_eq!(first.count("task"), 1);
}
