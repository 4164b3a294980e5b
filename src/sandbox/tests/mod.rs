//! Tests over HTTP, against real sandboxes on loopback. Tests rewrite a task's times in
//! `server.db` instead of waiting.

mod access;
mod archives;
mod creating;
mod events;
mod following;
mod ingestion;
mod links;
mod pace;
mod queries;
mod sharing;

use std::path::Path;
use std::sync::Once;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

const RETRIEVALS: &str = "/data-retrievals/v3.0/";
const DELETIONS: &str = "/data-deletions/v3.0/";

struct Sandbox {
    running: Running,
    client: Client,
    project: String,
    folder: TempDir,
}

struct Reply {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Reply {
    fn error(&self) -> &str {
        assert_eq!(self.body["status"], "error", "{}", self.body);
        self.body["error"].as_str().expect("an error text")
    }

    /// The id in a 201 of either shape.
    fn task_id(&self) -> String {
        assert_eq!(self.status, 201, "{}", self.body);
        let results = &self.body["results"];
        let id = if results.is_array() {
            &results[0]["tracking_id"]
        } else {
            &results["task_id"]
        };
        id.as_str().expect("a task id").to_owned()
    }

    fn task_status(&self) -> &str {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body["results"]["status"].as_str().expect("a status")
    }
}

impl Sandbox {
    /// No pace limit, object replies, and jobs of one hour.
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = patient_settings(folder.path());
        change(&mut settings);
        let running = start(settings).expect("a sandbox");
        Self {
            running,
            client: client(),
            project: project_token("acme"),
            folder,
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.running.api_url());
        self.client
            .request(method, url)
            .query(&[("token", &self.project)])
            .bearer_auth(OAUTH_TOKEN)
    }

    async fn create(&self, collection: &str, body: Value) -> Reply {
        send(self.request(Method::POST, collection).json(&body)).await
    }

    async fn created(&self, collection: &str, id: &str) -> String {
        self.create(collection, json!({"distinct_ids": [id]}))
            .await
            .task_id()
    }

    async fn get(&self, collection: &str, task: &str) -> Reply {
        send(self.request(Method::GET, &format!("{collection}{task}/"))).await
    }

    async fn cancel(&self, task: &str) -> Reply {
        send(self.request(Method::DELETE, &format!("{DELETIONS}{task}/"))).await
    }

    /// Moves all tasks `seconds` back in time.
    fn let_pass(&self, seconds: i64) {
        let connection = self.database();
        connection
            .execute(
                "UPDATE task SET created_at = created_at - ?1",
                [seconds * 1_000_000],
            )
            .expect("the tasks");
        connection
            .execute(
                "UPDATE deletion SET ends_at = ends_at - ?1",
                [seconds * 1_000_000],
            )
            .expect("the deletions");
    }

    fn database(&self) -> Connection {
        Connection::open(self.folder.path().join("server.db")).expect("the state")
    }

    fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        self.database()
            .query_row(&sql, [], |row| row.get(0))
            .expect("a count")
    }
}

fn patient_settings(folder: &Path) -> Settings {
    Settings {
        rate: f64::INFINITY,
        job_seconds: 3600.0,
        create_reply: CreateReply::Object,
        ..Settings::new(folder.to_path_buf())
    }
}

/// Follows no redirect and uses no proxy, so that the sandbox itself answers.
fn client() -> Client {
    static CRYPTO: Once = Once::new();
    CRYPTO.call_once(|| {
        // Another test may have installed one, which works too.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let builder = Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none());
    builder.build().expect("a client")
}

async fn send(request: RequestBuilder) -> Reply {
    let response = request.send().await.expect("a reply");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.expect("a body");
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).expect("JSON")
    };
    Reply {
        status,
        headers,
        body,
    }
}

#[test]
fn the_defaults_are_those_of_the_real_service() {
    let settings = Settings::new("folder".into());
    assert_eq!(
        (settings.port, settings.rate, settings.job_seconds),
        (0, 1.0, 4.0)
    );
    assert_eq!(
        (settings.max_deletion_ids, settings.max_retrieval_ids),
        (500, 2000)
    );
    assert_eq!(settings.create_reply, CreateReply::Alternate);
}

#[test]
fn project_tokens_are_made_up_but_stable() {
    let token = project_token("acme");
    assert_eq!(token.len(), 32);
    assert!(
        token
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    );
    assert_eq!(token, project_token("acme"));
    assert_ne!(token, project_token("globex"));
}

#[test]
fn a_project_id_has_seven_digits_and_belongs_to_its_token() {
    let (one, other) = (project_id("one"), project_id("other"));
    assert!((1_000_000..10_000_000).contains(&one));
    assert_eq!(one, project_id("one"));
    assert_ne!(one, other);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for (rate, job_seconds) in [
        (0.0, 4.0),
        (-1.0, 4.0),
        (f64::NAN, 4.0),
        (1.0, -1.0),
        (1.0, f64::INFINITY),
    ] {
        let settings = Settings {
            rate,
            job_seconds,
            ..Settings::new(folder.path().join("none"))
        };
        assert!(
            matches!(start(settings), Err(SandboxError::Setting { .. })),
            "{rate} {job_seconds}"
        );
    }
    assert!(!folder.path().join("none").exists());
}

#[test]
fn a_port_in_use_is_an_error_and_a_dropped_sandbox_frees_its_port() {
    let first = Sandbox::new();
    let port = first.running.address().port();
    let folder = tempfile::tempdir().expect("a folder");
    let again = || {
        start(Settings {
            port,
            ..Settings::new(folder.path().into())
        })
    };
    assert!(matches!(again(), Err(SandboxError::Listen { .. })));
    drop(first);
    assert_eq!(again().expect("a free port").address().port(), port);
}

#[tokio::test]
async fn dropping_a_sandbox_does_not_wait_for_idle_or_silent_connections() {
    let sandbox = Sandbox::new();
    sandbox.created(RETRIEVALS, "user-17").await;
    let silent = std::net::TcpStream::connect(sandbox.running.address()).expect("a connection");
    let before = std::time::Instant::now();
    drop(sandbox.running);
    assert!(before.elapsed().as_secs() < 3);
    drop(silent);
}

#[test]
fn it_listens_on_loopback_alone() {
    let sandbox = Sandbox::new();
    assert!(sandbox.running.address().ip().is_loopback());
    let port = sandbox.running.address().port();
    assert_eq!(
        sandbox.running.api_url(),
        format!("http://127.0.0.1:{port}/api/app")
    );
}
