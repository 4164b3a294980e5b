//! The SDK for React Native: native by default, JavaScript where native is not available.

use super::{Calls, Library, Sdk, Section};

pub(super) static LIBRARY: Library = Library {
    sdk: Sdk::ReactNative,
    name: "mixpanel-react-native",
    version: "3.2.2",
    opt_out: Section {
        source: "https://github.com/mixpanel/mixpanel-react-native/blob/v3.2.2/index.js#L212",
        calls: Calls::Code(
            "mixpanel.optOutTracking();
await mixpanel.hasOptedOutTracking(); // true

// if you record sessions:
await MPSessionReplay.stopRecording();",
        ),
        notes: &[
            "In JavaScript mode (if there is no native module, or `useNative` is false) the opt-out ends with the app: `init()` clears it at each start. Keep the choice yourself, and call `init(true)` for people who have opted out.",
            "In JavaScript mode `hasOptedOutTracking()` fails: it calls a function that the source does not have (`getOptOut`).",
            "Natively it does what mixpanel-swift 5.1.3 and mixpanel-android 8.2.5 do, to which this version is tied: so on iOS a `reset()` deletes the stored opt-out, too.",
            "Session replay is a separate package, mixpanel-react-native-session-replay. The source of its version 1.2.0 does not look at the opt-out.",
        ],
    },
    opt_in: Section {
        source: "https://github.com/mixpanel/mixpanel-react-native/blob/v3.2.2/index.js#L201",
        calls: Calls::Code("mixpanel.optInTracking();"),
        notes: &["It sends an event `$opt_in`."],
    },
    opted_out_by_default: Section {
        source: "https://github.com/mixpanel/mixpanel-react-native/blob/v3.2.2/index.js#L70",
        calls: Calls::Code(
            "const trackAutomaticEvents = false;
const mixpanel = new Mixpanel(
  \"YOUR_PROJECT_TOKEN\", trackAutomaticEvents);
await mixpanel.init(true);
// when the person agrees:
mixpanel.optInTracking();",
        ),
        notes: &[
            "Natively, people who opted in before stay opted in. People who were identified by an earlier version of your app and never chose are opted out.",
            "In JavaScript mode `init(true)` opts out at each start, whatever was chosen before, and leaves `serverURL` and the super properties unset: call `setServerURL` yourself, above all for a project in the EU or India.",
        ],
    },
    ip_and_location: Section {
        source: "https://github.com/mixpanel/mixpanel-react-native/blob/v3.2.2/index.js#L167",
        calls: Calls::Code("mixpanel.setUseIpAddressForGeolocation(false);"),
        notes: &[
            "The default is true, and the SDK does not store it: call it after each `init`, before anything is sent.",
        ],
    },
    default_properties: Section {
        source: "https://github.com/mixpanel/mixpanel-react-native/blob/v3.2.2/index.js#L441",
        calls: Calls::Code(
            "mixpanel.registerSuperProperties({
  $os_version: \"\", $manufacturer: \"\",
  $screen_height: \"\", $screen_width: \"\",
  $model: \"\", // native
  $brand: \"\", $carrier: \"\", $wifi: \"\", // Android, native
  $android_brand: \"\", $android_model: \"\",
  $android_manufacturer: \"\", // JavaScript mode
});",
        ),
        notes: &[
            "The source has no way to leave properties out. Super properties replace those that the SDK adds, so set an empty value instead.",
            "An opt-out and a reset clear super properties: register them again afterwards, or after the opt-in.",
            "`mp_lib` and `$lib_version` are put over yours.",
        ],
    },
};
