use super::{Calls, Library, Sdk, Section};

pub(super) static LIBRARY: Library = Library {
    sdk: Sdk::Android,
    name: "mixpanel-android",
    version: "8.9.0",
    opt_out: Section {
        source: "https://github.com/mixpanel/mixpanel-android/blob/v8.9.0/analytics/src/main/java/com/mixpanel/android/mpmetrics/MixpanelAPI.java#L1558",
        calls: Calls::Code(
            "mixpanel.optOutTracking();
mixpanel.hasOptedOutTracking(); // true

// if you record sessions (Kotlin):
MPSessionReplay.getInstance()?.stopRecording()",
        ),
        notes: &[
            "`mixpanel` is what `MixpanelAPI.getInstance` gave.",
            "The call deletes the events queued on the device; call `mixpanel.flush()` before it to send them.",
            "If the person was identified, it queues two last messages under their id: one deletes the profile, and the next takes `$transactions` out of it.",
            "Session replay is a separate library, mixpanel-android-session-replay. The source of its version 1.4.0 does not look at the opt-out.",
        ],
    },
    opt_in: Section {
        source: "https://github.com/mixpanel/mixpanel-android/blob/v8.9.0/analytics/src/main/java/com/mixpanel/android/mpmetrics/MixpanelAPI.java#L1584",
        calls: Calls::Code(
            "mixpanel.optInTracking();
// or with the person's id:
mixpanel.optInTracking(\"USER_ID\");",
        ),
        notes: &["It sends an event `$opt_in`."],
    },
    opted_out_by_default: Section {
        source: "https://github.com/mixpanel/mixpanel-android/blob/v8.9.0/analytics/src/main/java/com/mixpanel/android/mpmetrics/MixpanelOptions.java#L159",
        calls: Calls::Code(
            "MixpanelOptions options = new MixpanelOptions.Builder()
    .optOutTrackingDefault(true)
    .build();
MixpanelAPI mixpanel = MixpanelAPI.getInstance(
    context, \"YOUR_PROJECT_TOKEN\", false, options);
// when the person agrees:
mixpanel.optInTracking();",
        ),
        notes: &[
            "People who opted in before stay opted in. People who were identified by an earlier version of your app and never chose are opted out, with all that `dsr guide opt-out` says about it.",
            "The `false` turns automatic events off.",
        ],
    },
    ip_and_location: Section {
        source: "https://github.com/mixpanel/mixpanel-android/blob/v8.9.0/analytics/src/main/java/com/mixpanel/android/mpmetrics/MixpanelAPI.java#L657",
        calls: Calls::Code(
            "mixpanel.setUseIpAddressForGeolocation(false);

<!-- or in AndroidManifest.xml, in <application> -->
<meta-data
  android:name=
\"com.mixpanel.android.MPConfig.UseIpAddressForGeolocation\"
  android:value=\"false\" />",
        ),
        notes: &[
            "The default is true. The SDK does not store the call: make it after each start. The line in the manifest applies from the first event on.",
        ],
    },
    default_properties: Section {
        source: "https://github.com/mixpanel/mixpanel-android/blob/v8.9.0/analytics/src/main/java/com/mixpanel/android/mpmetrics/MixpanelOptions.java#L347",
        calls: Calls::Code(
            "MixpanelOptions options = new MixpanelOptions.Builder()
    .excludeProperties(new HashSet<>(Arrays.asList(
        \"$model\", \"$brand\", \"$manufacturer\",
        \"$os_version\", \"$carrier\", \"$wifi\",
        \"$bluetooth_enabled\", \"$bluetooth_version\",
        \"$has_nfc\", \"$has_telephone\",
        \"$screen_dpi\", \"$screen_height\", \"$screen_width\",
        \"$android_model\")))
    .build();
MixpanelAPI mixpanel = MixpanelAPI.getInstance(
    context, \"YOUR_PROJECT_TOKEN\", false, options);",
        ),
        notes: &[
            "This works on events, and on `set` of profiles only. Names are compared exactly.",
            "These cannot be left out: `token`, `time`, `distinct_id`, `$device_id`, `$user_id`, `$had_persisted_distinct_id`.",
            "The SDK warns if `mp_lib` or `$lib_version` is listed.",
        ],
    },
};
