//! How to stop Mixpanel's SDKs from collecting data about a person.
//!
//! Owns the texts, one module per SDK, each read from the SDK's public source at the named version.
//! Knows nothing of requests and must not guess: it says if a source has no call for something.

mod android;
mod ios;
mod javascript;
mod node_java;
mod python;
mod react_native;
mod swift;
mod topics;

#[cfg(test)]
mod tests;

/// Mixpanel's SDKs by the names people call them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Sdk {
    /// Websites: mixpanel-js
    Javascript,
    /// Apps in Objective-C: mixpanel-iphone
    Ios,
    /// Apps in Swift: mixpanel-swift
    Swift,
    /// Apps for Android: mixpanel-android
    Android,
    /// Apps in React Native: mixpanel-react-native
    ReactNative,
    /// Servers: mixpanel-python, mixpanel-node, mixpanel-java
    Server,
}

impl Sdk {
    /// The name as typed: `react-native`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Javascript => "javascript",
            Self::Ios => "ios",
            Self::Swift => "swift",
            Self::Android => "android",
            Self::ReactNative => "react-native",
            Self::Server => "server",
        }
    }
}

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Topic {
    /// What a deletion leaves behind, and how to handle it
    AfterDeletion,
    /// Where else the data of erased people is, and what to do there
    Copies,
    /// How long Mixpanel keeps data, and how to delete profiles after a period
    Retention,
    /// Stop collecting data about a person
    OptOut,
    /// Collect data about a person again
    OptIn,
    /// Collect nothing until a person agrees
    OptedOutByDefault,
    /// Do not derive a location from the IP address
    IpAndLocation,
    /// Leave out the properties that an SDK adds by default
    DefaultProperties,
}

impl Topic {
    pub const ALL: [Self; 8] = [
        Self::AfterDeletion,
        Self::Copies,
        Self::Retention,
        Self::OptOut,
        Self::OptIn,
        Self::OptedOutByDefault,
        Self::IpAndLocation,
        Self::DefaultProperties,
    ];

    /// The name as typed: `opt-out`.
    pub fn name(self) -> &'static str {
        match self {
            Self::AfterDeletion => "after-deletion",
            Self::Copies => "copies",
            Self::Retention => "retention",
            Self::OptOut => "opt-out",
            Self::OptIn => "opt-in",
            Self::OptedOutByDefault => "opted-out-by-default",
            Self::IpAndLocation => "ip-and-location",
            Self::DefaultProperties => "default-properties",
        }
    }

    /// A short title.
    pub fn title(self) -> &'static str {
        match self {
            Self::AfterDeletion => "What a deletion leaves behind, and how to handle it",
            Self::Copies => "Where else the data of erased people is, and what to do there",
            Self::Retention => {
                "How long Mixpanel keeps data, and how to delete profiles after a period"
            }
            Self::OptOut => "Stop collecting data about a person",
            Self::OptIn => "Collect data about a person again",
            Self::OptedOutByDefault => "Collect nothing until a person agrees",
            Self::IpAndLocation => "Do not derive a location from the IP address",
            Self::DefaultProperties => "Leave out the properties that an SDK adds by default",
        }
    }

    /// What applies to every SDK, as paragraphs.
    pub fn paragraphs(self) -> &'static [&'static str] {
        topics::paragraphs(self)
    }

    /// What each library offers; empty if all offer the same.
    pub fn sections(self) -> impl Iterator<Item = (&'static Library, &'static Section)> {
        let of = move |library: &'static Library| Some((library, library.section(self)?));
        LIBRARIES.into_iter().filter_map(of)
    }
}

/// One of Mixpanel's libraries, at the version that was read.
#[derive(Debug)]
pub struct Library {
    pub sdk: Sdk,
    /// The repository name under `github.com/mixpanel`.
    pub name: &'static str,
    pub version: &'static str,
    opt_out: Section,
    opt_in: Section,
    opted_out_by_default: Section,
    ip_and_location: Section,
    default_properties: Section,
}

impl Library {
    fn section(&self, topic: Topic) -> Option<&Section> {
        match topic {
            Topic::AfterDeletion | Topic::Copies | Topic::Retention => None,
            Topic::OptOut => Some(&self.opt_out),
            Topic::OptIn => Some(&self.opt_in),
            Topic::OptedOutByDefault => Some(&self.opted_out_by_default),
            Topic::IpAndLocation => Some(&self.ip_and_location),
            Topic::DefaultProperties => Some(&self.default_properties),
        }
    }
}

/// What one library offers on one topic.
#[derive(Debug)]
pub struct Section {
    /// The source file and line, at the named version.
    pub source: &'static str,
    pub calls: Calls,
    pub notes: &'static [&'static str],
}

/// The code to write.
#[derive(Debug, Clone, Copy)]
pub enum Calls {
    /// In the library's language, or in the caller's if the library's calls do nothing.
    Code(&'static str),
    /// The source has no call; the notes say what it has.
    NoneInSource,
}

static LIBRARIES: [&Library; 8] = [
    &javascript::LIBRARY,
    &ios::LIBRARY,
    &swift::LIBRARY,
    &android::LIBRARY,
    &react_native::LIBRARY,
    &python::LIBRARY,
    &node_java::NODE,
    &node_java::JAVA,
];
