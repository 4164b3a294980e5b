//! The two other libraries for servers.

use super::{Calls, Library, Sdk, Section};

pub(super) static NODE: Library = Library {
    sdk: Sdk::Server,
    name: "mixpanel-node",
    version: "0.21.0",
    opt_out: Section {
        source: "https://github.com/mixpanel/mixpanel-node/blob/v0.21.0/lib/mixpanel-node.js#L336",
        calls: Calls::Code(
            "const fs = require(\"fs\");
const suppressed = new Set(
  fs.readFileSync(\"suppressed.txt\", \"utf8\")
    .split(\"\\n\"));

const mayTrack = (id) => !suppressed.has(String(id));

if (mayTrack(userId)) {
  mixpanel.track(\"Signed Up\", { distinct_id: userId });
}",
        ),
        notes: &[
            "The source has no opt-out: whatever it is given, it sends. Ask before every call that names a person: `track`, `track_batch`, `import`, `import_batch`, `alias` and all of `people`.",
            "`suppressed.txt` is a list of your own, an id on each line, such as the file you gave to `dsr delete`. Keep it as safe as the ids are.",
            "`dsr suppressions export` writes such a list with keyed hashes in place of ids; its `--help` has the code for Node.",
        ],
    },
    opt_in: Section {
        source: "https://github.com/mixpanel/mixpanel-node/blob/v0.21.0/lib/mixpanel-node.js#L336",
        calls: Calls::Code("suppressed.delete(String(userId));"),
        notes: &[
            "The source has no opt-in: take the person out of your own list, in the file too.",
        ],
    },
    opted_out_by_default: Section {
        source: "https://github.com/mixpanel/mixpanel-node/blob/v0.21.0/lib/mixpanel-node.js#L336",
        calls: Calls::Code("const mayTrack = (id) => agreed.has(String(id));"),
        notes: &[
            "The source has no such setting: keep a list of those who agreed, `agreed`, and ask it before every call.",
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
        calls: Calls::Code(
            "Set<String> suppressed = new HashSet<>(
    Files.readAllLines(Paths.get(\"suppressed.txt\")));

if (!suppressed.contains(userId)) {
    delivery.addMessage(
        messages.event(userId, \"Signed Up\", properties));
}",
        ),
        notes: &[
            "The source has no opt-out: whatever it is given, it sends. Ask before every message that names a person, of `MessageBuilder` (here `messages`) or your own.",
            "`suppressed.txt` is a list of your own, an id on each line, such as the file you gave to `dsr delete`. Keep it as safe as the ids are.",
            "`dsr suppressions export` writes such a list with keyed hashes in place of ids; its `--help` says what to compute.",
        ],
    },
    opt_in: Section {
        source: "https://github.com/mixpanel/mixpanel-java/blob/v1.7.0/src/main/java/com/mixpanel/mixpanelapi/MessageBuilder.java#L52",
        calls: Calls::Code("suppressed.remove(userId);"),
        notes: &[
            "The source has no opt-in: take the person out of your own list, in the file too.",
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
            "The source has no such setting: keep a list of those who agreed, `agreed`, and ask it before every message.",
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
            "An event gets `token`, `time`, `mp_lib` and `distinct_id`, an import `$insert_id` as well, nothing else. The source has no way to leave them out; all but `distinct_id` give way to yours.",
        ],
    },
};
