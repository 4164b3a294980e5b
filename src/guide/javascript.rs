use super::{Calls, Library, Sdk, Section};

pub(super) static LIBRARY: Library = Library {
    sdk: Sdk::Javascript,
    name: "mixpanel-js",
    version: "2.82.1",
    opt_out: Section {
        source: "https://github.com/mixpanel/mixpanel-js/blob/v2.82.1/src/mixpanel-core.js#L2297",
        calls: Calls::Code(
            "mixpanel.opt_out_tracking({ delete_user: false });
mixpanel.has_opted_out_tracking(); // true",
        ),
        notes: &[
            "The SDK keeps the choice in this browser, for this project token: in localStorage, or in a cookie if there is none.",
            "Without `delete_user: false`, and if the person was identified on the page, it sends two last messages under their id: one deletes the profile, and the next sets `$transactions` in it. After a deletion that is new data.",
            "It stops session recording and clears what the SDK had stored; `clear_persistence: false` leaves the store alone, and does not stop the recording at once.",
            "If a browser says Do Not Track, it counts as opted out from the start, unless `ignore_dnt: true` was given to `init`.",
        ],
    },
    opt_in: Section {
        source: "https://github.com/mixpanel/mixpanel-js/blob/v2.82.1/src/mixpanel-core.js#L2263",
        calls: Calls::Code(
            "mixpanel.opt_in_tracking();
mixpanel.has_opted_in_tracking(); // true",
        ),
        notes: &[
            "It sends an event `$opt_in`; `track_event_name` and `track_properties` change it.",
            "`mixpanel.clear_opt_in_out_tracking()` forgets either choice.",
        ],
    },
    opted_out_by_default: Section {
        source: "https://github.com/mixpanel/mixpanel-js/blob/v2.82.1/src/mixpanel-core.js#L2132",
        calls: Calls::Code(
            "mixpanel.init(\"YOUR_PROJECT_TOKEN\", {
  opt_out_tracking_by_default: true,
  opt_out_persistence_by_default: true,
});
// when the person agrees:
mixpanel.opt_in_tracking();",
        ),
        notes: &[
            "People who opted in before stay opted in.",
            "Without `opt_out_persistence_by_default` nothing is sent, but the SDK still uses cookies or localStorage.",
        ],
    },
    ip_and_location: Section {
        source: "https://github.com/mixpanel/mixpanel-js/blob/v2.82.1/src/mixpanel-core.js#L671",
        calls: Calls::Code(
            "mixpanel.init(\"YOUR_PROJECT_TOKEN\", { ip: false });
// or later:
mixpanel.set_config({ ip: false });",
        ),
        notes: &["The default is `ip: true`."],
    },
    default_properties: Section {
        source: "https://github.com/mixpanel/mixpanel-js/blob/v2.82.1/src/mixpanel-core.js#L1191",
        calls: Calls::Code(
            "mixpanel.init(\"YOUR_PROJECT_TOKEN\", {
  property_blacklist: [
    \"$current_url\", \"$referrer\", \"$referring_domain\",
    \"$initial_referrer\", \"$initial_referring_domain\",
    \"$search_engine\", \"mp_keyword\",
    \"$os\", \"$browser\", \"$browser_version\", \"$device\",
    \"$screen_height\", \"$screen_width\",
  ],
  save_referrer: false,
  track_marketing: false,
  skip_first_touch_marketing: true,
  stop_utm_persistence: true,
});",
        ),
        notes: &[
            "List what you do not want, but never `token`, `distinct_id`, `time` or `$insert_id`: they would be left out like the rest.",
            "The list works on events only: `people.set` adds `$os`, `$browser` and `$browser_version` in any case.",
            "The four settings below it keep back referrers, UTM tags and click ids, on profiles too.",
        ],
    },
};
