//! What applies to every SDK.

use super::Topic;

pub(super) fn paragraphs(topic: Topic) -> &'static [&'static str] {
    match topic {
        Topic::AfterDeletion => &[
            "A deletion takes out what Mixpanel holds on the listed ids. The rest is left to you.",
            "Collection goes on. The next event of the same person makes new data, under the same id. Opt the person out in every app and browser they use, and on your servers: `dsr guide opt-out`. Do this before the deletion: some SDKs send last messages of their own.",
            "Copies stay. What was exported before, to a warehouse, a bucket or a file, is not reached. Delete the ids there yourself, and keep the pipelines from loading them anew.",
            "Session replays are kept by Mixpanel for 30 days; its documentation of deletions does not say whether they go with the rest. In Swift, on Android and in React Native an SDK of its own records them, and goes on doing so after an opt-out: stop it, too.",
            "Other ids. A person may have more than one, such as those of devices before a login. Which of them go along depends on how the project merges identities: list all that you know.",
            "Servers have no opt-out. What your backend sends is your own to stop: `dsr guide opt-out --sdk server`. `dsr suppressions export` writes the list of people not to track again, and `dsr suppressions check` finds them in files of events.",
        ],
        Topic::OptOut => &[
            "An opt-out holds in one app on one device, or one browser. It does not follow a person to another, and is lost when the app is removed or the browser's data is cleared: keep the choice with the account, and make the call at each login.",
        ],
        Topic::OptIn => &["Only on the person's word: an objection holds until it is taken back."],
        Topic::OptedOutByDefault => &[
            "The SDK sends no events and no profiles until your code says that the person agreed.",
        ],
        Topic::IpAndLocation => &[
            "These calls have the SDK send `ip=0`: Mixpanel is asked not to derive city, region and country. The connection itself comes from the person's address all the same, unless it goes through a server of yours.",
        ],
        Topic::DefaultProperties => {
            &["This concerns events from now on. What was sent before stays as it is."]
        }
    }
}
