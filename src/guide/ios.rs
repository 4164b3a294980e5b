//! The Objective-C SDK. Its tag 5.0.9 calls itself 5.0.8 in the code.

use super::{Calls, Library, Sdk, Section};

pub(super) static LIBRARY: Library = Library {
    sdk: Sdk::Ios,
    name: "mixpanel-iphone",
    version: "5.0.9",
    opt_out: Section {
        source: "https://github.com/mixpanel/mixpanel-iphone/blob/v5.0.9/Sources/Mixpanel.m#L848",
        calls: Calls::Code(
            "[[Mixpanel sharedInstance] optOutTracking];
[[Mixpanel sharedInstance] hasOptedOutTracking]; // YES",
        ),
        notes: &[
            "If the person was identified, it sends what is queued and two last messages under their id: one deletes the profile, and the next sets `$transactions` in it. If not, queued events stay on the device, and are sent after an opt-in.",
            "A `reset` afterwards deletes the stored opt-out, too: at the next start of the app nothing of it is left. Opt out again after each reset.",
            "It forgets who the person is, and the super properties.",
            "This version calls itself 5.0.8 in what it sends.",
        ],
    },
    opt_in: Section {
        source: "https://github.com/mixpanel/mixpanel-iphone/blob/v5.0.9/Sources/Mixpanel.m#L880",
        calls: Calls::Code(
            "[[Mixpanel sharedInstance] optInTracking];
// or with the person's id:
[[Mixpanel sharedInstance]
    optInTrackingForDistinctID:@\"USER_ID\"];",
        ),
        notes: &["It sends an event `$opt_in`."],
    },
    opted_out_by_default: Section {
        source: "https://github.com/mixpanel/mixpanel-iphone/blob/v5.0.9/Sources/Mixpanel.h#L249",
        calls: Calls::Code(
            "[Mixpanel sharedInstanceWithToken:@\"YOUR_PROJECT_TOKEN\"
             trackAutomaticEvents:NO
          optOutTrackingByDefault:YES];
// when the person agrees:
[[Mixpanel sharedInstance] optInTracking];",
        ),
        notes: &[
            "People who opted in before stay opted in. People who were identified by an earlier version of your app and never chose are opted out, with all that `dsr guide opt-out` says about it.",
        ],
    },
    ip_and_location: Section {
        source: "https://github.com/mixpanel/mixpanel-iphone/blob/v5.0.9/Sources/Mixpanel.h#L159",
        calls: Calls::Code("[Mixpanel sharedInstance].useIPAddressForGeoLocation = NO;"),
        notes: &[
            "The default is YES, and the SDK does not store it: set it after each start, before anything is sent.",
        ],
    },
    default_properties: Section {
        source: "https://github.com/mixpanel/mixpanel-iphone/blob/v5.0.9/Sources/Mixpanel.m#L557",
        calls: Calls::Code(
            "[[Mixpanel sharedInstance] registerSuperProperties:@{
    @\"$model\": @\"\", @\"mp_device_model\": @\"\",
    @\"$carrier\": @\"\", @\"$wifi\": @\"\",
    @\"$os_version\": @\"\",
    @\"$screen_height\": @\"\", @\"$screen_width\": @\"\",
}];",
        ),
        notes: &[
            "The source has no way to leave properties out. Super properties replace those that the SDK adds, so set an empty value instead.",
            "An opt-out and a reset clear super properties: register them again afterwards, or after the opt-in.",
            "Profiles get `$ios_version`, `$ios_lib_version`, `$ios_app_version`, `$ios_app_release` and `$ios_device_model` in any case.",
        ],
    },
};
