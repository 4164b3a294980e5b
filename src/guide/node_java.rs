//! The SDKs for Node and Java servers.

use super::{Calls, Library, Sdk, Section};

pub(super) static NODE: Library = Library {
    sdk: Sdk::Server,
    name: "mixpanel-node",
    version: "0.21.0",
    opt_out: Section {
        source: "https://github.com/mixpanel/mixpanel-node/blob/v0.21.0/lib/mixpanel-node.js#L336",
        calls: Calls::Code(concat!(
            include_str!("list.js"),
            "
if (mayTrack(userId)) {
  mixpanel.track(\"Signed Up\", { distinct_id: userId });
}"
        )),
        notes: &[
            "The source has no opt-out: it sends everything it is given. Ask before every call that names a person: `track`, `track_batch`, `import`, `import_batch`, `alias` and all of `people`.",
            "`suppressed.txt` is the list that `dsr suppressions export` writes, `ledger.key` the key that `dsr auth ledger-key --to` writes. A list in another format, of another key or without its end stops the program.",
        ],
    },
    opt_in: Section {
        source: "https://github.com/mixpanel/mixpanel-node/blob/v0.21.0/lib/mixpanel-node.js#L336",
        calls: Calls::Code(
            "if (agreed.has(userId) || mayTrack(userId)) {
  mixpanel.track(\"Signed Up\", { distinct_id: userId });
}",
        ),
        notes: &[
            "The source has no opt-in, and a nightly `dsr suppressions export` lists the person again. Keep your own list, `agreed`, of people who agreed after their deletion, and ask it first.",
        ],
    },
    opted_out_by_default: Section {
        source: "https://github.com/mixpanel/mixpanel-node/blob/v0.21.0/lib/mixpanel-node.js#L336",
        calls: Calls::Code("const mayTrack = (id) => agreed.has(String(id));"),
        notes: &[
            "The source has no such setting: keep a list, `agreed`, of people who agreed, and ask it before every call.",
        ],
    },
    ip_and_location: Section {
        source: "https://github.com/mixpanel/mixpanel-node/blob/v0.21.0/lib/mixpanel-node.js#L36",
        calls: Calls::Code(
            "const mixpanel = Mixpanel.init(
  \"YOUR_PROJECT_TOKEN\", { geolocate: false });",
        ),
        notes: &[
            "False is the default: every request says `ip=0`. Keep the person's address out of what you pass: no `ip`, no `$ip`.",
        ],
    },
    default_properties: Section {
        source: "https://github.com/mixpanel/mixpanel-node/blob/v0.21.0/lib/mixpanel-node.js#L203",
        calls: Calls::NoneInSource,
        notes: &[
            "`track` adds `token`, `mp_lib` and `$lib_version`, nothing else, and puts them over yours. The source has no way to leave them out.",
        ],
    },
};

pub(super) static JAVA: Library = Library {
    sdk: Sdk::Server,
    name: "mixpanel-java",
    version: "1.7.0",
    opt_out: Section {
        source: "https://github.com/mixpanel/mixpanel-java/blob/v1.7.0/src/main/java/com/mixpanel/mixpanelapi/MessageBuilder.java#L52",
        calls: Calls::Code(concat!(
            include_str!("list.java"),
            "
var list = new SuppressionList();
if (list.mayTrack(userId)) {
    delivery.addMessage(
        messages.event(userId, \"Signed Up\", properties));
}"
        )),
        notes: &[
            "The source has no opt-out: it sends everything it is given. Ask before every message that names a person, of `MessageBuilder` (here `messages`) or your own.",
            "`suppressed.txt` is the list that `dsr suppressions export` writes, `ledger.key` the key that `dsr auth ledger-key --to` writes. A list in another format, of another key or without its end stops the program.",
        ],
    },
    opt_in: Section {
        source: "https://github.com/mixpanel/mixpanel-java/blob/v1.7.0/src/main/java/com/mixpanel/mixpanelapi/MessageBuilder.java#L52",
        calls: Calls::Code(
            "if (agreed.contains(userId) || list.mayTrack(userId)) {
    delivery.addMessage(
        messages.event(userId, \"Signed Up\", properties));
}",
        ),
        notes: &[
            "The source has no opt-in, and a nightly `dsr suppressions export` lists the person again. Keep your own list, `agreed`, of people who agreed after their deletion, and ask it first.",
        ],
    },
    opted_out_by_default: Section {
        source: "https://github.com/mixpanel/mixpanel-java/blob/v1.7.0/src/main/java/com/mixpanel/mixpanelapi/MessageBuilder.java#L52",
        calls: Calls::Code(
            "if (agreed.contains(userId)) {
    delivery.addMessage(
        messages.event(userId, \"Signed Up\", properties));
}",
        ),
        notes: &[
            "The source has no such setting: keep a list, `agreed`, of people who agreed, and ask it before every message.",
        ],
    },
    ip_and_location: Section {
        source: "https://github.com/mixpanel/mixpanel-java/blob/v1.7.0/src/main/java/com/mixpanel/mixpanelapi/MixpanelAPI.java#L284",
        calls: Calls::Code("mixpanel.deliver(delivery, false);"),
        notes: &[
            "False is the default: `deliver(delivery)` and `sendMessage` say `ip=0`, too. `ip` does not go with imports. Keep the person's address out of the properties you pass.",
        ],
    },
    default_properties: Section {
        source: "https://github.com/mixpanel/mixpanel-java/blob/v1.7.0/src/main/java/com/mixpanel/mixpanelapi/MessageBuilder.java#L70",
        calls: Calls::Code(
            "properties.put(\"mp_lib\", \"\");
messages.event(userId, \"Signed Up\", properties);",
        ),
        notes: &[
            "An event gets `token`, `time`, `mp_lib` and `distinct_id`, an import `$insert_id` as well, nothing else. The source has no way to leave them out; your properties replace all but `distinct_id`.",
        ],
    },
};
