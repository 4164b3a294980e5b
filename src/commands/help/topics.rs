//! The topics of `dsr help TOPIC`, the man pages and the reference. Each is made from the data that
//! the code itself uses.

use crate::config::{Home, VARIABLES};
use crate::domain::ExitStatus;
use crate::ui::{Block, HelpPage};

/// The guide's pages, in the order in which a reader needs them. Tests run their commands.
const GUIDE: [&str; 12] = [
    include_str!("../../../docs/guide/set-up.md"),
    include_str!("../../../docs/guide/sources.md"),
    include_str!("../../../docs/guide/erase-people.md"),
    include_str!("../../../docs/guide/follow.md"),
    include_str!("../../../docs/guide/deadlines.md"),
    include_str!("../../../docs/guide/two-people.md"),
    include_str!("../../../docs/guide/hand-over-exports.md"),
    include_str!("../../../docs/guide/record-owners.md"),
    include_str!("../../../docs/guide/after-a-deletion.md"),
    include_str!("../../../docs/guide/prove-it.md"),
    include_str!("../../../docs/guide/tokens.md"),
    include_str!("../../../docs/guide/restore.md"),
];

/// What each command prints with `--json`. Tests compare every run with it.
const SHAPES: &str = include_str!("../../../docs/schemas/README.md");

/// A config file with every setting. Tests parse it.
const CONFIG: &str = "\
default_project = \"shop\"
default_auth = \"main\"      # of projects that name none

[projects.shop]
# the project token: 32 hex digits
token = \"0123456789abcdef0123456789abcdef\"
region = \"eu\"             # us, eu or in
data_groups = 3           # group keys, 0 to 6
delete_batch = 500        # ids a deletion, 1 to 2000
export_batch = 2000       # ids an export, 1 to 2000
rate = 1                  # requests a second
approvals = 1             # people; 0 if left out
holidays = [2026-12-25]   # not working days
time_zone = \"Europe/Berlin\"  # UTC if left out
auth = \"acme\"             # the OAuth token, by name
# at most 5, if Mixpanel enabled them for you
callbacks = [\"https://privacy.example/mixpanel\"]

[company]                 # on each person's page
name = \"Shop GmbH, Lindenstr. 1, 10969 Berlin\"
contact = \"privacy@shop.example\"
officer = \"dpo@shop.example\"  # data protection officer
purposes = \"To improve our shop; legitimate interest\"
recipients = \"Mixpanel Inc., USA; standard clauses\"
retention = \"5 years after the event\"
authority = \"Berliner Datenschutzbeauftragte\"
";

type TopicWriter = fn(Option<&Home>) -> Vec<Block>;

const TOPICS: [(&str, &str, TopicWriter); 5] = [
    (
        "exit-status",
        "What each exit status means; stable, for scripts",
        exit_status,
    ),
    ("environment", "The variables that dsr reads", environment),
    (
        "files",
        "Where everything is kept, and who may read it",
        files,
    ),
    ("json", "What scripts can rely on with --json", json),
    (
        "runbooks",
        "Recipes: cron, CI, two people, containers, a lost night",
        runbooks,
    ),
];

/// Names of all topics, and of `topics`, which lists them.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let names = TOPICS.iter().map(|(name, _, _)| *name);
    names.chain(["topics"])
}

/// Every topic with its title, without `topics`.
pub(crate) fn titles() -> impl Iterator<Item = (&'static str, &'static str)> {
    TOPICS.iter().map(|(name, title, _)| (*name, *title))
}

/// Builds a topic's page. `home` is this machine's folder, or `None` for a page about any machine.
pub(crate) fn find(name: &str, home: Option<&Home>) -> Option<HelpPage> {
    if name == "topics" {
        return Some(list());
    }
    let topic = TOPICS.iter().find(|(known, _, _)| *known == name);
    topic.map(|(name, title, write)| HelpPage {
        name,
        title,
        blocks: write(home),
    })
}

fn list() -> HelpPage {
    HelpPage {
        name: "topics",
        title: "What there is to read beside the help of each command",
        blocks: vec![
            rows(titles()),
            Block::paragraph(
                "Read one with `dsr help TOPIC`. What Mixpanel's SDKs have to stop collecting is \
                 told by `dsr guide`.",
            ),
        ],
    }
}

fn rows<N: ToString, M: ToString>(rows: impl IntoIterator<Item = (N, M)>) -> Block {
    let texts = rows
        .into_iter()
        .map(|(name, meaning)| (name.to_string(), meaning.to_string()));
    Block::Rows(texts.collect())
}

fn exit_status(_: Option<&Home>) -> Vec<Block> {
    let all = ExitStatus::ALL.into_iter();
    let pressing = ExitStatus::PRECEDENCE.map(|status| status.code().to_string());
    vec![
        rows(all.map(|status| (status.code(), status.meaning()))),
        Block::paragraph(format!(
            "Where several apply, the first of {} wins: what needs a decision comes before what is \
             late, and what is late before what only takes its time.",
            pressing.join(", ")
        )),
        Block::paragraph(
            "`dsr status --exit-status` with `--overdue` or `--due-within` is about deadlines alone: 9 \
             if it shows a request and 0 if it shows none, whatever else is wrong.",
        ),
        Block::paragraph(
            "After 75 the same command again would start a second request: `dsr resume` goes on with \
             the first. After 6 nobody knows whether Mixpanel has it: `dsr resume` within 15 minutes, \
             later `dsr resume REQUEST` with `--task`, `--send-again` or `--abandon`.",
        ),
        Block::Heading("In a script".to_owned()),
        Block::code(
            "status=0\n\
             dsr delete --gdpr --yes --expect 8 ids.csv --wait --timeout 2h || status=$?\n\
             case $status in\n\
             0)  echo 'erased' ;;\n\
             8)  echo 'accepted; Mixpanel is still working: dsr status' ;;\n\
             75) dsr resume ;;\n\
             *)  echo \"needs a person: $status\" >&2; exit $status ;;\n\
             esac\n",
        ),
    ]
}

fn environment(_: Option<&Home>) -> Vec<Block> {
    let proxies = [
        (
            "HTTPS_PROXY, ALL_PROXY",
            "the proxy for calls to Mixpanel (http, https or SOCKS), never for loopback",
        ),
        ("NO_PROXY", "hosts that are called without it"),
    ];
    vec![
        rows(VARIABLES.into_iter().chain(proxies)),
        Block::paragraph(
            "An empty variable counts as unset. A flag beats the environment, the environment beats \
             the config file, and that beats the default; with one exception: a project token or \
             region that contradicts the config file's is an error, since the wrong project would be \
             erased. `dsr doctor` says where each value came from.",
        ),
        Block::paragraph(
            "A secret is better in a file than in a variable: others on the machine may see a \
             process's variables. The file must not be readable by others.",
        ),
        Block::code(
            "chmod 600 mixpanel-token\n\
             DSR_TOKEN_FILE=mixpanel-token DSR_TOKEN_ISSUED=2026-05-31 dsr status\n",
        ),
    ]
}

fn files(home: Option<&Home>) -> Vec<Block> {
    let anywhere = Home::in_folders("~/.config/dsr", "~/.local/share/dsr");
    let home = home.unwrap_or(&anywhere);
    let kept = [
        (
            home.config_file(),
            "projects and settings, in TOML; people may edit it",
        ),
        (
            home.ledger(),
            "every request, job and attempt, in SQLite; -wal and -shm beside it are part of it",
        ),
        (
            home.data().join("seen-head"),
            "the last entry of the ledger that this host has seen; moves with the ledger, and is never restored from a copy",
        ),
        (
            home.data().join("holder"),
            "which dsr writes the ledger just now",
        ),
        (
            home.data().join("senders"),
            "a locked file for each dsr that is sending",
        ),
        (
            home.data().join("receipts"),
            "task ids that could not be recorded, until the next command records them",
        ),
        (
            home.sandbox().data().to_owned(),
            "the same for rehearsals with --sandbox; may be removed",
        ),
    ];
    vec![
        rows(kept.map(|(path, holds)| (path.display().to_string(), holds))),
        Block::paragraph(
            "`DSR_HOME` puts all of it into one folder. dsr makes files for their owner alone, and \
             refuses a ledger that others can read. Copy the ledger with `dsr ledger backup`, and keep \
             the key of its hashed ids apart from the copy: `dsr auth ledger-key --to FILE`.",
        ),
        Block::paragraph(
            "Nothing is read from the working directory but the sources you name. Exports are put \
             into a folder `dsr-REQUEST` there, or where `--to` says: each archive, and beside it a \
             folder with a package for each person. They and your lists of ids are yours to delete.",
        ),
        Block::paragraph(
            "The OAuth token, the API secrets of projects and the keys of hashed ids are in the \
             system's keyring, or in files that variables name: `dsr help environment`.",
        ),
        Block::Heading("The config file".to_owned()),
        Block::Code {
            info: "toml".to_owned(),
            text: CONFIG.to_owned(),
        },
        Block::paragraph(
            "`rate` counts the requests of all dsr processes together. With data groups a deletion has at \
             most floor(2000 / (data_groups + 1)) ids. `approvals` is how many other people must approve \
             a deletion. `time_zone` is for projects made before 2023, whose events are by its clock.",
        ),
        Block::paragraph(
            "`[company]` is what `dsr download --split` writes on the page of each person. Every key is \
             optional: the page leaves out what is not set. `officer` and `authority` are for the GDPR alone.",
        ),
    ]
}

fn json(_: Option<&Home>) -> Vec<Block> {
    let mut blocks = below_the_title(SHAPES);
    blocks.push(Block::code(
        "dsr status --json | jq -r '.requests[] | [.id, .state, .due] | @tsv'\n\
         dsr status --cached --json | jq '[.requests[] | select(.overdue)] | length'\n",
    ));
    blocks
}

fn runbooks(_: Option<&Home>) -> Vec<Block> {
    GUIDE.into_iter().flat_map(Block::of_markdown).collect()
}

/// Drops the Markdown's title: the page has its own.
fn below_the_title(markdown: &str) -> Vec<Block> {
    let blocks = Block::of_markdown(markdown).into_iter();
    blocks.skip(1).collect()
}
