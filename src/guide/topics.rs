//! What applies to every SDK.

use super::Topic;

pub(super) fn paragraphs(topic: Topic) -> &'static [&'static str] {
    match topic {
        Topic::AfterDeletion => &[
            "A deletion removes what Mixpanel has on the listed ids. You must handle the rest.",
            "Collection continues. The next event of the same person makes new data, under the same id. Opt the person out in every app and browser they use, and on your servers: `dsr guide opt-out`. Do this before the deletion: some SDKs send last messages of their own.",
            "Copies stay. A deletion does not reach what was exported before, to a warehouse, a bucket or a file. Delete the ids there yourself, and keep the pipelines from loading them again: `dsr guide copies`.",
            "Session replays. Mixpanel keeps them for 30 days, on some plans for 7 to 360. Its documentation says only for websites that deletion requests reach them. In Swift, on Android and in React Native a separate SDK records them, and continues after an opt-out: stop that SDK, too.",
            "Other ids. A person may have several, such as those of devices before a login. Which of them a deletion covers depends on how the project merges identities: list all ids that you know.",
            "Servers have no opt-out. You must stop what your backend sends: `dsr guide opt-out --sdk server`. `dsr suppressions export` writes the list of people not to track again, and `dsr suppressions check` finds them in files of events.",
        ],
        // The command prints a page of the guide.
        Topic::Copies | Topic::Retention => &[],
        Topic::OptOut => &[
            "An opt-out applies to one app on one device, or to one browser. It does not follow the person to another. It is lost when the app is removed or the browser's data is cleared. So keep the choice with the account, and make the call at each login.",
        ],
        Topic::OptIn => &[
            "Opt a person in only if they say so: an objection holds until the person takes it back.",
        ],
        Topic::OptedOutByDefault => &[
            "The SDK sends no events and no profiles until your code says that the person agreed.",
        ],
        Topic::IpAndLocation => &[
            "These calls make the SDK send `ip=0`, which asks Mixpanel not to derive city, region and country. The connection itself still comes from the person's address, unless it goes through your server.",
        ],
        Topic::DefaultProperties => {
            &["This applies to events from now on. Data that was sent before does not change."]
        }
    }
}
