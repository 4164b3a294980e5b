use super::{Calls, Library, Sdk, Section};

pub(super) static LIBRARY: Library = Library {
    sdk: Sdk::Server,
    name: "mixpanel-python",
    version: "5.3.0",
    opt_out: Section {
        source: "https://github.com/mixpanel/mixpanel-python/blob/v5.3.0/mixpanel/__init__.py#L129",
        calls: Calls::Code(
            "with open(\"suppressed.txt\", encoding=\"utf-8\") as lines:
    suppressed = {line.rstrip(\"\\n\") for line in lines}

def may_track(distinct_id):
    return str(distinct_id) not in suppressed

if may_track(user_id):
    mp.track(user_id, \"Signed Up\", {\"plan\": \"pro\"})",
        ),
        notes: &[
            "The source has no opt-out: whatever it is given, it sends. Ask before every call that names a person: `track`, `import_data`, `alias`, `merge` and all that begin with `people_`.",
            "`suppressed.txt` is a list of your own, an id on each line, such as the file you gave to `dsr delete`. Keep it as safe as the ids are.",
            "`dsr suppressions export` writes such a list with keyed hashes in place of ids; its `--help` has the code for Python.",
        ],
    },
    opt_in: Section {
        source: "https://github.com/mixpanel/mixpanel-python/blob/v5.3.0/mixpanel/__init__.py#L129",
        calls: Calls::Code("suppressed.discard(str(user_id))"),
        notes: &[
            "The source has no opt-in: take the person out of your own list, in the file too.",
        ],
    },
    opted_out_by_default: Section {
        source: "https://github.com/mixpanel/mixpanel-python/blob/v5.3.0/mixpanel/__init__.py#L129",
        calls: Calls::Code(
            "def may_track(distinct_id):
    return str(distinct_id) in agreed",
        ),
        notes: &[
            "The source has no such setting: keep a list of those who agreed, `agreed`, and ask it before every call.",
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
            "It adds `token`, `distinct_id`, `time`, `$insert_id`, `mp_lib` and `$lib_version`, nothing else. The source has no way to leave them out; your properties are put over them.",
        ],
    },
};
