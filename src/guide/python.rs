use super::{Calls, Library, Sdk, Section};

pub(super) static LIBRARY: Library = Library {
    sdk: Sdk::Server,
    name: "mixpanel-python",
    version: "5.3.0",
    opt_out: Section {
        source: "https://github.com/mixpanel/mixpanel-python/blob/v5.3.0/mixpanel/__init__.py#L129",
        calls: Calls::Code(concat!(
            include_str!("list.py"),
            "
if may_track(user_id):
    mp.track(user_id, \"Signed Up\", {\"plan\": \"pro\"})"
        )),
        notes: &[
            "The source has no opt-out: it sends everything it is given. Ask before every call that names a person: `track`, `import_data`, `alias`, `merge` and all that begin with `people_`.",
            "`suppressed.txt` is the list that `dsr suppressions export` writes, `ledger.key` the key that `dsr auth ledger-key --to` writes. A list in another format, of another key or without its end stops the program.",
        ],
    },
    opt_in: Section {
        source: "https://github.com/mixpanel/mixpanel-python/blob/v5.3.0/mixpanel/__init__.py#L129",
        calls: Calls::Code(
            "if user_id in agreed or may_track(user_id):
    mp.track(user_id, \"Signed Up\", {\"plan\": \"pro\"})",
        ),
        notes: &[
            "The source has no opt-in, and a nightly `dsr suppressions export` lists the person again. Keep your own list, `agreed`, of people who agreed after their deletion, and ask it first.",
        ],
    },
    opted_out_by_default: Section {
        source: "https://github.com/mixpanel/mixpanel-python/blob/v5.3.0/mixpanel/__init__.py#L129",
        calls: Calls::Code(
            "def may_track(distinct_id):
    return str(distinct_id) in agreed",
        ),
        notes: &[
            "The source has no such setting: keep a list, `agreed`, of people who agreed, and ask it before every call.",
        ],
    },
    ip_and_location: Section {
        source: "https://github.com/mixpanel/mixpanel-python/blob/v5.3.0/mixpanel/__init__.py#L798",
        calls: Calls::NoneInSource,
        notes: &[
            "Nothing to call: every request says `ip=0` already. Keep the person's address out of the properties you pass: no `ip`, no `$ip`.",
        ],
    },
    default_properties: Section {
        source: "https://github.com/mixpanel/mixpanel-python/blob/v5.3.0/mixpanel/__init__.py#L147",
        calls: Calls::Code(
            "mp.track(user_id, \"Signed Up\",
         {\"mp_lib\": \"\", \"$lib_version\": \"\"})",
        ),
        notes: &[
            "It adds `token`, `distinct_id`, `time`, `$insert_id`, `mp_lib` and `$lib_version`, nothing else. The source has no way to leave them out; your properties replace them.",
        ],
    },
};
