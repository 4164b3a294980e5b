use super::{Calls, Library, Sdk, Section};

pub(super) static LIBRARY: Library = Library {
    sdk: Sdk::Swift,
    name: "mixpanel-swift",
    version: "6.5.1",
    opt_out: Section {
        source: "https://github.com/mixpanel/mixpanel-swift/blob/6.5.1/Sources/MixpanelInstance.swift#L1812",
        calls: Calls::Code(
            "Mixpanel.mainInstance().optOutTracking()
Mixpanel.mainInstance().hasOptedOutTracking() // true

// if you record sessions:
MPSessionReplay.getInstance()?.stopRecording()",
        ),
        notes: &[
            "If the person was identified, it sends what is queued. Its code asks for the profile to be deleted, too, but forgets who the person is before that is queued: do not count on it. If not identified, queued events stay on the device, and are sent after an opt-in.",
            "A `reset()` afterwards deletes the stored opt-out, too: at the next start of the app nothing of it is left. Opt out again after each reset.",
            "It works in the background: `hasOptedOutTracking()` is true a moment later.",
            "Session replay is a separate package, mixpanel-ios-session-replay-package. The source of its version 1.5.1 does not look at the opt-out.",
        ],
    },
    opt_in: Section {
        source: "https://github.com/mixpanel/mixpanel-swift/blob/6.5.1/Sources/MixpanelInstance.swift#L1867",
        calls: Calls::Code(
            "Mixpanel.mainInstance().optInTracking()
// or with the person's id:
Mixpanel.mainInstance()
    .optInTracking(distinctId: \"USER_ID\")",
        ),
        notes: &["It sends an event `$opt_in`; `properties:` adds to it."],
    },
    opted_out_by_default: Section {
        source: "https://github.com/mixpanel/mixpanel-swift/blob/6.5.1/Sources/MixpanelOptions.swift#L261",
        calls: Calls::Code(
            "Mixpanel.initialize(options: MixpanelOptions(
    token: \"YOUR_PROJECT_TOKEN\",
    optOutTrackingByDefault: true
))
// when the person agrees:
Mixpanel.mainInstance().optInTracking()",
        ),
        notes: &[
            "People who opted in before stay opted in. People who were identified by an earlier version of your app and never chose are opted out.",
        ],
    },
    ip_and_location: Section {
        source: "https://github.com/mixpanel/mixpanel-swift/blob/6.5.1/Sources/MixpanelInstance.swift#L150",
        calls: Calls::Code(
            "let mixpanel = Mixpanel.mainInstance()
mixpanel.useIPAddressForGeoLocation = false",
        ),
        notes: &[
            "The default is true, and the SDK does not store it: set it after each start, before anything is sent. `MixpanelOptions` has no setting for it.",
        ],
    },
    default_properties: Section {
        source: "https://github.com/mixpanel/mixpanel-swift/blob/6.5.1/Sources/MixpanelOptions.swift#L198",
        calls: Calls::Code(
            "Mixpanel.initialize(options: MixpanelOptions(
    token: \"YOUR_PROJECT_TOKEN\",
    excludeProperties: [
        \"$model\", \"$os_version\", \"$wifi\",
        \"$screen_height\", \"$screen_width\",
        \"$ios_device_model\", \"$ios_version\",
    ]
))",
        ),
        notes: &[
            "This works on events, and on `$set` and `$set_once` of profiles. Names are compared exactly.",
            "These cannot be left out: `token`, `time`, `distinct_id`, `$device_id`, `$user_id`, `$had_persisted_distinct_id`.",
            "The SDK warns if `mp_lib` or `$lib_version` is listed.",
        ],
    },
};
