//! An operator on a fixed day, and everything that was on the screen.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::stable::stable;
use crate::support::{Fake, Operator, Outcome, Terminal, as_account, has_calendar};

/// Compares everything that the scene has shown with the calling test's snapshot.
macro_rules! snapshot {
    ($scene:expr) => {
        snapshot!($scene, None)
    };
    ($scene:expr, $name:expr) => {
        if let Some(text) = $scene.text() {
            let mut settings = insta::Settings::clone_current();
            let noun = module_path!().rsplit("::").next().unwrap_or_default();
            settings.set_snapshot_path(format!("snapshots/{noun}"));
            settings.set_prepend_module_to_snapshot(false);
            settings.set_omit_expression(true);
            let _bound = settings.bind_to_scope();
            match Option::<String>::from($name) {
                Some(name) => insta::assert_snapshot!(name, text),
                None => insta::assert_snapshot!(text),
            }
        }
    };
}
pub(crate) use snapshot;

/// The day on which every scene begins, a Monday.
const FIRST_DAY: &str = "2026-03-16";

/// The content of every scene's `ids.csv`.
const IDS: &str = "distinct_id\nuser-1001\nuser-1002\nuser-1003\n";

pub(crate) struct Scene {
    pub(crate) operator: Operator,
    /// They end with the scene.
    fakes: Vec<Fake>,
    has_calendar: bool,
    /// The requests' ids from before the ledger lost some of them.
    kept_names: Vec<String>,
    day: String,
    minute: u32,
    shown: String,
}

impl Scene {
    /// An operator with a token, a ledger key and the project `shop`, at a Mixpanel without faults.
    pub(crate) fn usual() -> Self {
        Self::at(Fake::start())
    }

    /// Like `usual`, at this Mixpanel.
    pub(crate) fn at(fake: Fake) -> Self {
        Self::with(fake, "")
    }

    /// Like `at`, with these lines in the project's table.
    pub(crate) fn with(fake: Fake, settings: &str) -> Self {
        let settings = format!("rate = 1000\n{settings}");
        let mut scene = Self::of(Operator::at_with(&fake, &settings));
        scene.operator.file("ids.csv", IDS);
        scene.fakes.push(fake);
        scene
    }

    /// Keeps a server for as long as the scene.
    pub(crate) fn keeps(&mut self, fake: Fake) -> &mut Self {
        self.fakes.push(fake);
        self
    }

    pub(crate) fn waits_for_a_post(&self) {
        self.fakes[0].wait_for_posts(1);
    }

    /// A scene with a deletion of three people, accepted.
    pub(crate) fn with_a_deletion() -> Self {
        Self::with_a_deletion_at(Fake::start())
    }

    /// A scene with a deletion at this Mixpanel, whatever it answered.
    pub(crate) fn with_a_deletion_at(fake: Fake) -> Self {
        let mut scene = Self::at(fake);
        scene.runs(&["delete", "--gdpr", "--yes", "ids.csv"]);
        scene
    }

    pub(crate) fn of(operator: Operator) -> Self {
        let operator = operator.with("COLUMNS", "80").with("NO_COLOR", "1");
        let mut scene = Self {
            operator,
            fakes: Vec::new(),
            has_calendar: has_calendar(),
            kept_names: Vec::new(),
            day: String::new(),
            minute: 0,
            shown: String::new(),
        };
        // A fixed key, so that a person's hash is the same on every machine.
        let key = scene
            .operator
            .private_file("../ledger-key", "0a".repeat(32));
        scene.operator.set("DSR_LEDGER_KEY_FILE", &key);
        // Fixed modes, whatever the umask of the tests.
        for (path, mode) in [
            (scene.operator.dsr_home(), 0o700),
            (scene.operator.config_path(), 0o600),
        ] {
            if path.exists() {
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            }
        }
        scene.lives_on(FIRST_DAY);
        scene
    }

    /// From now on every command runs on this day, each a minute after the one before.
    pub(crate) fn lives_on(&mut self, day: &str) -> &mut Self {
        if self.has_calendar {
            self.operator.lives_on(day);
        }
        day.clone_into(&mut self.day);
        self
    }

    fn passes_a_minute(&mut self) {
        let (hour, minute) = (12 + self.minute / 60, self.minute % 60);
        let now = format!("@{} {hour:02}:{minute:02}:00", self.day);
        self.operator.set("FAKETIME", &now);
        self.minute += 1;
    }

    #[track_caller]
    pub(crate) fn runs(&mut self, args: &[&str]) -> Outcome {
        self.passes_a_minute();
        self.operator.run(args)
    }

    /// Like `runs`; the command must succeed.
    #[track_caller]
    pub(crate) fn did(&mut self, args: &[&str]) -> &mut Self {
        self.runs(args).exits_with(0);
        self
    }

    /// Shows a command whose result is read on a terminal of 80 columns.
    #[track_caller]
    pub(crate) fn shows(&mut self, args: &[&str]) -> &mut Self {
        self.passes_a_minute();
        let errors = self.operator.work().join("../stderr");
        let script = "stty cols 80 rows 24 -onlcr -echo
            exec \"$0\" \"$@\" 2>../stderr </dev/null";
        let terminal = Terminal::start(self.operator.script(script, args));
        let (status, stdout) = terminal.ends();
        let stderr = fs::read_to_string(errors).unwrap();
        self.has_the_same_lines_everywhere(&stdout);
        self.adds(args, Some(status), &stdout, &stderr)
    }

    /// Shows a command whose result goes to a pipe, so that no line is folded.
    #[track_caller]
    pub(crate) fn pipes(&mut self, args: &[&str]) -> &mut Self {
        let outcome = self.runs(args);
        self.adds(args, outcome.status, &outcome.stdout, &outcome.stderr)
    }

    #[track_caller]
    pub(crate) fn pipes_in(&mut self, args: &[&str], input: &str) -> &mut Self {
        self.passes_a_minute();
        let outcome = self.operator.run_with_input(args, input);
        self.adds(args, outcome.status, &outcome.stdout, &outcome.stderr)
    }

    #[track_caller]
    pub(crate) fn plain(&mut self, args: &[&str]) -> &mut Self {
        self.pipes(&[args, &["--plain"]].concat())
    }

    /// Shows a command that only reads, both in columns and as one fact a line.
    #[track_caller]
    pub(crate) fn shows_both(&mut self, args: &[&str]) -> &mut Self {
        self.shows(args).plain(args)
    }

    /// Shows a whole terminal on which each answer is typed at its prompt.
    #[track_caller]
    pub(crate) fn types(&mut self, args: &[&str], answers: &[(&str, &str)]) -> &mut Self {
        self.passes_a_minute();
        let script = "stty cols 80 rows 24 -onlcr echo; exec \"$0\" \"$@\"";
        let mut terminal = Terminal::start(self.operator.script(script, args));
        for (prompt, answer) in answers {
            terminal.sees(prompt);
            match prompt.contains("not shown") {
                true => terminal.types_hidden(answer),
                false => terminal.types(answer),
            }
        }
        let (status, screen) = terminal.ends();
        self.has_the_same_lines_everywhere(&screen);
        self.adds(args, Some(status), &screen, "")
    }

    /// Fails if a terminal shows a path or an account: their lengths would move the line ends.
    #[track_caller]
    fn has_the_same_lines_everywhere(&self, screen: &str) {
        let text = self.stable(screen);
        let is_there = ["/home/ana", "@office"]
            .iter()
            .any(|name| text.contains(name));
        assert!(!is_there, "show it without columns:\n{text}");
    }

    #[track_caller]
    pub(crate) fn another(&mut self, args: &[&str]) -> Outcome {
        self.passes_a_minute();
        let script = as_account(2, r#""$0" "$@""#);
        crate::support::Running::start(self.operator.script(&script, args), "").end()
    }

    /// Keeps the names of the present requests, whatever happens to the ledger.
    pub(crate) fn keeps_names(&mut self) -> &mut Self {
        self.kept_names = self.requests();
        self
    }

    fn requests(&self) -> Vec<String> {
        let of = |name: &str| match self.operator.dsr_home().join(name).exists() {
            true => find_requests(&self.operator.dsr_home().join(name)),
            false => Vec::new(),
        };
        [of("ledger.db"), of("sandbox/ledger.db")].concat()
    }

    fn stable(&self, text: &str) -> String {
        let requests = match self.kept_names.as_slice() {
            [] => self.requests(),
            kept => kept.to_owned(),
        };
        stable(&self.operator, &requests, text)
    }

    /// The beginning of the id of request number `number`, counted from 1.
    pub(crate) fn request(&self, number: usize) -> String {
        self.requests()[number - 1][..8].to_owned()
    }

    /// Shows a text that is not a command's, such as a file.
    pub(crate) fn reads(&mut self, title: &str, text: &str) -> &mut Self {
        self.shown.push_str(&format!("# {title}\n{text}\n"));
        self
    }

    fn adds(
        &mut self,
        args: &[&str],
        status: Option<i32>,
        stdout: &str,
        stderr: &str,
    ) -> &mut Self {
        let words = args.iter().map(|word| match word.contains(' ') {
            true => format!("'{word}'"),
            false => (*word).to_owned(),
        });
        let words: Vec<String> = words.collect();
        self.shown
            .push_str(&format!("$ dsr {}\n{stdout}", words.join(" ")));
        if !stdout.is_empty() && !stdout.ends_with('\n') {
            self.shown.push_str("[no end of line]\n");
        }
        if !stderr.is_empty() {
            self.shown.push_str(&format!("--- stderr\n{stderr}"));
        }
        let status = status.map_or_else(|| "a signal".to_owned(), |status| status.to_string());
        self.shown
            .push_str(&format!("--- exit status {status}\n\n"));
        self
    }

    /// Everything that was shown, with machine-dependent parts replaced. `None` if tests cannot set
    /// the day, which is printed.
    pub(crate) fn text(&self) -> Option<String> {
        self.has_calendar.then(|| self.stable(&self.shown))
    }
}

fn find_requests(ledger: &Path) -> Vec<String> {
    let ledger = Connection::open_with_flags(ledger, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut query = ledger
        .prepare("SELECT id FROM requests ORDER BY rowid")
        .unwrap();
    let rows = query.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}
