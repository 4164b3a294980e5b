//! The topics of `dsr help TOPIC`, the man pages and the reference. Each is made from the data that
//! the code itself uses.

use crate::config::{Home, VARIABLES};
use crate::domain::ExitStatus;
use crate::ui::{Block, HelpPage};

macro_rules! pages {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("../../../docs/guide/", $name, ".md")))),*]
    };
}

/// The guide's pages, in the order in which a reader needs them. Tests run their commands.
const GUIDE: [(&str, &str); 22] = pages![
    "install" "set-up" "sources" "find-ids" "erase-people" "follow" "recipes" "deadlines" "two-people"
    "hand-over-exports" "record-owners" "after-a-deletion" "copies" "retention" "verify" "import"
    "anonymise" "prove-it" "tokens" "share-the-ledger" "shared-ledger" "restore"
];

/// The page of `dsr guide copies`, too.
pub(super) const COPIES: &str = include_str!("../../../docs/guide/copies.md");

/// The page of `dsr guide retention`, too.
pub(super) const RETENTION: &str = include_str!("../../../docs/guide/retention.md");

/// What each command prints with `--json`. Tests compare every run with it.
const SHAPES: &str = include_str!("../../../docs/schemas/README.md");

/// A config file with every setting. Tests parse it.
const CONFIG: &str = "\
default_project = \"shop\"
default_auth = \"main\"      # of projects without `auth`
# shared with other hosts; without it, a file:
# ledger = \"postgres://anna@db.example/dsr\"

[projects.shop]
# the project token: 32 hex digits
token = \"0123456789abcdef0123456789abcdef\"
region = \"eu\"             # us, eu or in
data_groups = 3           # group keys, 0 to 6
delete_batch = 500        # ids a deletion, 1 to 2000
export_batch = 2000       # ids an export, 1 to 2000
rate = 1                  # requests a second
project_id = 4242         # number, for queries
queries_per_hour = 30     # of profiles, 1 to 60
verify = true             # false if left out
approvals = 1             # people; 0 if left out
holidays = [2026-12-25]   # no period ends on them
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

/// Names of the guide's pages. Each is a topic, too.
pub(crate) fn pages() -> impl Iterator<Item = &'static str> {
    GUIDE.iter().map(|(name, _)| *name)
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
    let topic = topic.map(|(name, title, write)| HelpPage {
        name,
        title,
        blocks: write(home),
    });
    topic.or_else(|| {
        let (name, text) = GUIDE.iter().find(|(known, _)| *known == name)?;
        let title = text.lines().next().unwrap_or(name);
        Some(HelpPage {
            name,
            title: title.trim_start_matches("# "),
            blocks: below_the_title(text),
        })
    })
}

fn list() -> HelpPage {
    HelpPage {
        name: "topics",
        title: "Topics, in addition to the help of each command",
        blocks: vec![
            rows(titles()),
            Block::paragraph(
                "Read one with `dsr help TOPIC`. `dsr guide` shows how to stop Mixpanel's SDKs from \
                 collecting.",
            ),
            Block::paragraph(format!(
                "Each recipe is a topic by itself, too: {}.",
                pages().collect::<Vec<_>>().join(", ")
            )),
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
            "If several apply, the first of {} wins: first what needs a decision, then what is late, \
             then what only takes time.",
            pressing.join(", ")
        )),
        Block::paragraph(
            "`dsr status --exit-status` with `--overdue` or `--due-within` reports only deadlines: 9 if \
             it shows a request, else 6 while nobody has reviewed the lost time of a restored ledger, else 0.",
        ),
        Block::paragraph(
            "`dsr download` gives 3 for drafts of packages that you must look through first, 4 for a \
             missing or wrong API secret, 5 for a damaged or unsafe archive or a list of ids that is \
             missing or wrong, 7 for a link that does not work, 8 for an export that is not finished, \
             74 for an archive or package that is gone or has changed, and 75 for a transfer that \
             failed.",
        ),
        Block::paragraph(
            "After 75 from `dsr export` or `dsr delete`, do not run the same command again: it would \
             start a second request. `dsr resume` continues the first. After 11, dsr has sent nothing: \
             run the same command again. After 6, dsr cannot tell whether Mixpanel has the job. Run \
             `dsr resume` within 15 minutes, later `dsr resume REQUEST` with `--task`, `--send-again` \
             or `--abandon`.",
        ),
        Block::paragraph(
            "`dsr import` and `dsr profiles` go on with the same command, after 6 and 75, too: Mixpanel \
             counts an event once, and a profile that is gone stays gone. They give 75 before 3: if \
             Mixpanel refused some of it, 3 says that it took all the rest.",
        ),
        Block::Heading("In a script".to_owned()),
        Block::code(
            "status=0\n\
             dsr delete --gdpr --yes --expect 8 ids.csv --wait --timeout 2h || status=$?\n\
             case $status in\n\
             0)  echo 'erased' ;;\n\
             8)  echo 'accepted; Mixpanel is still working: dsr status' ;;\n\
             11) echo 'nothing was sent: run it again' ;;\n\
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
        ("NO_PROXY", "hosts that dsr calls without the proxy"),
    ];
    vec![
        rows(VARIABLES.into_iter().chain(proxies)),
        Block::paragraph(
            "An empty variable counts as unset. A flag beats the environment, the environment beats \
             the config file, and the config file beats the default. There is one exception: a project \
             token or region that contradicts the config file is an error, since dsr would erase the \
             wrong project. `dsr doctor` shows where each value comes from.",
        ),
        Block::paragraph(
            "Put a secret in a file rather than in a variable: others on the machine may see a \
             process's variables. Only you may be able to read the file.",
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
            "projects and settings, in TOML; you may edit it",
        ),
        (
            home.ledger(),
            "every request, job and attempt, in SQLite; the -wal and -shm files beside it belong to it",
        ),
        (
            home.data().join("seen-head"),
            "the last entry of the ledger that this host has seen; move it with the ledger, never restore it from a copy",
        ),
        (
            home.data().join("holder"),
            "which dsr is writing the ledger",
        ),
        (
            home.data().join("senders"),
            "a locked file for each dsr that is sending, and for each query under way",
        ),
        (
            home.data().join("receipts"),
            "task ids that dsr could not record; the next command records them",
        ),
        (
            home.data().join("shared"),
            "the same three for each ledger on a server",
        ),
        (
            home.sandbox().data().to_owned(),
            "the same for rehearsals with --sandbox; you may remove it",
        ),
    ];
    vec![
        rows(kept.map(|(path, holds)| (path.display().to_string(), holds))),
        Block::paragraph(
            "`DSR_HOME` puts all of this into one folder. Only you can read the files that dsr makes, \
             and dsr refuses a ledger that others can read. Copy the ledger with `dsr ledger backup`, \
             and keep the key for its hashed ids apart from the copy: `dsr auth ledger-key --to FILE`.",
        ),
        Block::paragraph(
            "dsr reads nothing from the working directory except the sources you name. It puts exports \
             into a folder `dsr-REQUEST` there, or into the folder of `--to`: each archive, and beside \
             it a folder with a package for each person. You must delete exports and your lists of ids \
             yourself.",
        ),
        Block::paragraph(
            "The OAuth token, the API secrets of projects and the keys for hashed ids are in the \
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
             a deletion. `time_zone` is for projects made before 2023, which record events in local time. \
             With `verify`, deletions keep their ids until `dsr verify` asked for profiles, at most 10 days \
             after they are done.",
        ),
        Block::paragraph(
            "`dsr download --split` writes `[company]` on the page of each person. Every key is \
             optional: the page leaves out what is not set. `officer` and `authority` are for the GDPR only.",
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
    let pages = GUIDE.into_iter();
    pages
        .flat_map(|(_, page)| Block::of_markdown(page))
        .collect()
}

/// Drops the Markdown's title: the page has its own.
pub(super) fn below_the_title(markdown: &str) -> Vec<Block> {
    let blocks = Block::of_markdown(markdown).into_iter();
    blocks.skip(1).collect()
}
