//! Where a document's command runs: an operator with a project, lists of people, a sandbox, and
//! stand-ins for the other programs that documents name.

use std::fs;
use std::io::{BufRead, BufReader, Cursor, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dsr::sandbox::{SERVICE_ACCOUNT, SERVICE_ACCOUNT_SECRET, project_id};
use expectrl::{Expect, Regex, Session};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{
    Fake, Keyring, NOWHERE, Operator, Outcome, Reply, Running, as_account, has_accounts, usual,
};

/// The request in the documents' examples.
pub(crate) const REQUEST: &str = "q7tz0xma";
const TOKEN: &str = "sandbox-oauth-token-not-a-secret";
const PATIENCE: Duration = Duration::from_secs(30);

/// What documents run beside dsr, with the script that replaces it.
const STAND_INS: [(&str, &str); 4] = [
    // As cargo does once it has built.
    (
        "cargo",
        "[ \"$1 $2\" = 'run --' ] && shift 2 && exec dsr \"$@\"",
    ),
    // A password store and a database; each answers with a line or two.
    (
        "pass",
        "case $1 in *shop*) echo 0123456789abcdef0123456789abcdef ;; \
         *) echo sandbox-oauth-token-not-a-secret ;; esac",
    ),
    ("psql", "printf 'user-1\\nuser-2\\n'"),
    // A container engine with the image `dsr`; the arguments for dsr follow the image's name.
    (
        "podman",
        "[ \"$1\" = run ] || exit 0
         while [ \"$1\" != dsr ]; do
             case $1 in
             DSR_TOKEN_FILE=/run/secrets/*) export DSR_TOKEN_FILE=\"$PWD/mixpanel-token\" ;;
             DSR_*=*) export \"$1\" ;;
             esac
             shift
         done
         shift; exec dsr \"$@\"",
    ),
];

pub(crate) struct Mixpanel {
    child: Child,
    url: String,
    /// `USERNAME:SECRET`
    account: String,
    _home: tempfile::TempDir,
}

impl Mixpanel {
    /// Starts a sandbox whose jobs take this many seconds.
    pub(crate) fn start(job_seconds: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_dsr"))
            .env_clear()
            .env("DSR_HOME", home.path())
            .args([
                "sandbox",
                "--json",
                "--rate",
                "1000",
                "--job-seconds",
                job_seconds,
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let text = |key: &str| said["sandbox"][key].as_str().unwrap().to_owned();
        let secret = text("service_account_secret");
        Self {
            child,
            url: text("api_url"),
            account: format!("{}:{secret}", text("service_account")),
            _home: home,
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn account(&self) -> &str {
        &self.account
    }
}

impl Drop for Mixpanel {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(crate) struct Scene {
    pub(crate) operator: Operator,
    keyring: Option<Keyring>,
    fake: Option<Fake>,
    request: Option<String>,
}

impl Scene {
    /// An operator of the project `shop` at the sandbox with this address.
    pub(crate) fn at(url: &str) -> Self {
        // Each scene has its own project, since projects share one sandbox.
        static PROJECTS: AtomicUsize = AtomicUsize::new(1);
        let project = PROJECTS.fetch_add(1, Ordering::Relaxed);
        let operator = Operator::new()
            .with("DSR_TOKEN", TOKEN)
            .with("DSR_TOKEN_ISSUED", "2026-09-01")
            .with("DSR_API_URL", url);
        let operator = with_programs(operator);
        let key = operator.private_file("../ledger-key", "c0ffee5a".repeat(8));
        let operator = operator.with("DSR_LEDGER_KEY_FILE", &key);
        let account = operator.private_file(
            "../account",
            format!("{SERVICE_ACCOUNT}:{SERVICE_ACCOUNT_SECRET}"),
        );
        let operator = operator.with("DSR_SERVICE_ACCOUNT_FILE", &account);
        let token = format!("{project:032x}");
        let id = project_id(&token);
        operator.write_config(&format!(
            "default_project = \"shop\"\n[projects.shop]\ntoken = \"{token}\"\nregion = \"eu\"\nrate = 1000\n\
             project_id = {id}\n\
             [projects.app]\ntoken = \"a{project:031x}\"\nregion = \"us\"\nrate = 1000\n"
        ));
        let scene = Self {
            operator,
            keyring: None,
            fake: None,
            request: None,
        };
        scene.lay_out_files();
        scene
    }

    /// An operator whose deletion found no network until it was ended; now there is a network.
    pub(crate) fn cut_off_then_at(url: &str) -> Self {
        let mut scene = Self::at(url);
        scene.operator.set("DSR_API_URL", NOWHERE);
        let tries = scene
            .operator
            .start(&["delete", "--gdpr", "--yes", "ids.csv"]);
        // dsr tries again for half a minute; the request appears meanwhile.
        let look = ["status", "--cached", "--json"];
        while scene.operator.run(&look).json()["requests"] == json!([]) {
            std::thread::sleep(Duration::from_millis(100));
        }
        std::thread::sleep(Duration::from_secs(1));
        tries.signal("TERM");
        tries.end().exits_with(143);
        scene.operator.set("DSR_API_URL", url);
        scene
    }

    /// An operator with a request that was sent while all answers were lost; now answers arrive.
    pub(crate) fn of_lost_answers(kind: &[&str]) -> Self {
        let are_lost = Arc::new(AtomicBool::new(true));
        let (lost, taken) = (Arc::clone(&are_lost), Mutex::new(Vec::new()));
        let fake = Fake::answering(move |call| {
            let mut taken = taken.lock().unwrap();
            if call.is_post() {
                *taken = call.ids();
            }
            match call.is_post() {
                true if lost.load(Ordering::Relaxed) => Reply::Reset,
                true => usual(call),
                false => {
                    let results = json!({ "status": "PENDING", "distinct_ids": *taken });
                    Reply::json(200, &json!({ "status": "ok", "results": results }))
                }
            }
        });
        let args = [kind, &["--gdpr", "ids.csv"]].concat();
        let mut scene = Self::at(&fake.url()).with_request(&args, 6);
        are_lost.store(false, Ordering::Relaxed);
        scene.fake = Some(fake);
        scene
    }

    fn lay_out_files(&self) {
        let ids = include_str!("../data/ids.csv");
        let work = self.operator.work();
        for folder in ["tests/data", "exports", "evidence"] {
            fs::create_dir_all(work.join(folder)).unwrap();
        }
        self.operator.file("tests/data/ids.csv", ids);
        self.operator.file("ids.csv", ids);
        self.operator
            .file("hold.csv", "distinct_id\nuser-1002\nuser-1006\n");
        self.operator.file(
            "emails.csv",
            "email\nalice@example.test\nbob@example.test\n",
        );
        self.operator.file(
            "users.csv",
            "Distinct ID,Email,Last Seen,plan\nuser-1001,alice@example.test,2026-11-01T08:00:00,free\nuser-1002,bob@example.test,2026-11-02T08:00:00,team\n",
        );
        self.operator.file(
            "identities.csv",
            "distinct_id,resolved_distinct_id\n$device:1a2b,user-1001\n",
        );
        let event = json!({ "event": "visit", "properties": { "distinct_id": "user-1", "time": 1_700_000_000, "plan": "free" } });
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        writeln!(packed, "{event}").unwrap();
        self.operator
            .file("events.jsonl.gz", packed.finish().unwrap());
        self.lay_out_exports(&event);
        self.operator.private_file("key", "a key of hashed ids");
        self.operator.private_file("mixpanel-token", TOKEN);
        for name in ["secret.txt", "shop.token"] {
            self.operator
                .private_file(name, "0123456789abcdef0123456789abcdef");
        }
        let completions = work.join("../home/.local/share/bash-completion/completions");
        fs::create_dir_all(completions).unwrap();
    }

    /// What `dsr sanitize` reads.
    fn lay_out_exports(&self, event: &Value) {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default();
        zip.start_file("events.json", options).unwrap();
        writeln!(zip, "{event}").unwrap();
        let zip = zip.finish().unwrap().into_inner();
        self.operator.file("export.zip", zip);
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        writeln!(packed, "{event}").unwrap();
        self.operator.file("raw.jsonl.gz", packed.finish().unwrap());
        fs::create_dir(self.operator.work().join("packages")).unwrap();
        self.operator
            .file("packages/events.jsonl", format!("{event}\n"));
        self.operator.file("keep.txt", "plan\n");
        self.operator.file("events.txt", "visit\n");
    }

    /// Adds a copy of the ledger from before the last deletion.
    pub(crate) fn with_an_older_copy(self) -> Self {
        fs::create_dir(self.operator.work().join("backup")).unwrap();
        let delete = ["delete", "--gdpr", "--yes", "--new", "ids.csv"];
        self.operator.run(&delete).exits_with(0);
        let copy = ["ledger", "backup", "backup/ledger-2026-11-28.db"];
        self.operator.run(&copy).exits_with(0);
        self.operator.run(&delete).exits_with(0);
        self
    }

    /// Accepts the older copy as the ledger.
    pub(crate) fn that_was_accepted(self) -> Self {
        let ledger = self.operator.dsr_home().join("ledger.db");
        for extension in ["db-wal", "db-shm"] {
            drop(fs::remove_file(ledger.with_extension(extension)));
        }
        let copy = self.operator.work().join("backup/ledger-2026-11-28.db");
        fs::copy(copy, ledger).unwrap();
        let accept = ["ledger", "accept", "--yes"];
        self.operator.run(&accept).exits_with(0);
        self
    }

    /// Adds a service account, and the number of the project, which a first request made known.
    pub(crate) fn with_account(mut self, account: &str) -> Self {
        let path = self.operator.private_file("../account", account);
        self.operator.set("DSR_SERVICE_ACCOUNT_FILE", &path);
        self.operator
            .run(&["export", "--gdpr", "ids.csv"])
            .exits_with(0);
        let config = fs::read_to_string(self.operator.config_path()).unwrap();
        let token = config.split('"').nth(3).unwrap();
        let digest = Sha256::digest(token);
        let number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
        let number = (1_000_000 + number % 9_000_000).to_string();
        let set = ["project", "set", "shop", "--project-id", &number];
        self.operator.run(&set).exits_with(0);
        self
    }

    pub(crate) fn without_project(self) -> Self {
        self.operator.write_config("");
        self
    }

    pub(crate) fn without_token(mut self) -> Self {
        let operator = self.operator.without("DSR_TOKEN");
        self.operator = operator.without("DSR_TOKEN_ISSUED");
        self
    }

    /// Adds a keyring with the tokens `main` and `acme`; `None` without gnome-keyring, which is
    /// printed.
    pub(crate) fn with_keyring(mut self) -> Option<Self> {
        let keyring = Keyring::start()?;
        self.operator = keyring.of(self.operator).without("DSR_TOKEN_ISSUED");
        self.keyring = Some(keyring);
        for name in ["main", "acme"] {
            let args = ["auth", "login", "--with-token", "--name", name];
            self.operator.run_with_input(&args, TOKEN).exits_with(0);
        }
        Some(self)
    }

    /// Makes the request of the documents' examples with these arguments.
    pub(crate) fn with_request(mut self, args: &[&str], status: i32) -> Self {
        let made = self.operator.run(&[args, &["--json"]].concat());
        made.exits_with(status);
        let request = self.operator.only_request();
        self.request = Some(request["id"].as_str().unwrap().to_owned());
        self
    }

    /// Prepares a two-person deletion: runs what comes before this command, with a plan of another
    /// account. `None` if there can be no other account, which is printed.
    pub(crate) fn of_two_people(mut self, text: &str) -> Option<Self> {
        if !has_accounts() {
            return None;
        }
        let key = self.operator.private_file("team.key", "0a".repeat(32));
        self.operator.set("DSR_LEDGER_KEY_FILE", &key);
        let config = fs::read_to_string(self.operator.config_path()).unwrap();
        let strict = config.replacen("rate = 1000", "rate = 1000\napprovals = 1", 1);
        self.operator.write_config(&strict);
        if !text.contains("--plan") {
            let other = as_account(2, r#""$0" "$@""#);
            let plan = ["delete", "--gdpr", "ids.csv", "--plan", "erase.plan"];
            let planned = Running::start(self.operator.script(&other, &plan), "").end();
            planned.exits_with(0);
        }
        if text.contains("dsr apply") {
            let approve = ["approve", "erase.plan", "--yes"];
            self.operator.run(&approve).exits_with(0);
        }
        Some(self)
    }

    /// Runs a text with `bash -eu`; a simulated person answers its questions.
    pub(crate) fn run(&self, text: &str) -> Outcome {
        let mut text = text.to_owned();
        if let Some(request) = &self.request {
            text = text.replace(REQUEST, &request[..8]);
        }
        let outcome = Running::start(self.bash(&text), "").end();
        let asks = ["and there is no terminal", "standard input is empty"];
        match asks.iter().any(|asks| outcome.stderr.contains(asks)) {
            true => self.run_with_a_person(&text),
            false => outcome,
        }
    }

    fn bash(&self, text: &str) -> Command {
        let script = "exec bash -eu -o pipefail -c \"$1\"";
        self.operator.script(script, &[text])
    }

    /// Types the number or word that dsr asks for, and secrets.
    fn run_with_a_person(&self, text: &str) -> Outcome {
        let mut session = Session::spawn(self.bash(text)).unwrap();
        session.set_expect_timeout(Some(PATIENCE));
        let mut screen = Vec::new();
        let asks = r"confirm \([0-9]+\): |Type accept to confirm: |\(not shown\): ";
        while let Ok(found) = session.expect(Regex(asks)) {
            screen.extend_from_slice(found.as_bytes());
            let asked = String::from_utf8_lossy(found.as_bytes()).into_owned();
            let number = asked
                .rsplit_once(" (")
                .map(|(_, number)| number.trim_end_matches("): "));
            let answer = match number {
                _ if asked.ends_with("Type accept to confirm: ") => "accept",
                Some(number) if !asked.ends_with("(not shown): ") => number,
                _ if asked.contains("OAuth token") => TOKEN,
                _ => "0123456789abcdef0123456789abcdef",
            };
            // The echo is switched off shortly after the question appears.
            std::thread::sleep(Duration::from_millis(100));
            session.send_line(answer).unwrap();
        }
        let rest = session
            .expect(expectrl::Eof)
            .map(|rest| rest.as_bytes().to_vec());
        screen.extend(rest.unwrap_or_default());
        let status = match session.get_process().wait().unwrap() {
            expectrl::process::unix::WaitStatus::Exited(_, code) => Some(code),
            _ => None,
        };
        Outcome {
            args: vec![text.to_owned()],
            status,
            stdout: String::from_utf8_lossy(&screen).into_owned(),
            stderr: String::new(),
            took: Duration::ZERO,
        }
    }
}

/// Puts a folder of programs before the system's.
fn with_programs(operator: Operator) -> Operator {
    let folder = operator.work().join("../bin");
    fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_dsr"), folder.join("dsr")).unwrap();
    for (name, script) in STAND_INS {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", folder.display());
    operator.with("PATH", &path)
}
