use super::*;

/// Library and topic pairs whose source has nothing to call.
const WITHOUT_CALLS: [(&str, Topic); 2] = [
    ("mixpanel-python", Topic::IpAndLocation),
    ("mixpanel-node", Topic::DefaultProperties),
];

fn sdks() -> &'static [Sdk] {
    clap::ValueEnum::value_variants()
}

fn all() -> impl Iterator<Item = (Topic, &'static Library, &'static Section)> {
    let of = |topic: Topic| {
        topic
            .sections()
            .map(move |(library, section)| (topic, library, section))
    };
    Topic::ALL.into_iter().flat_map(of)
}

#[test]
fn every_sdk_has_calls_on_every_topic_or_says_that_its_source_has_none() {
    for topic in Topic::ALL.into_iter().skip(3) {
        for sdk in sdks() {
            let of_sdk = topic.sections().filter(|(library, _)| library.sdk == *sdk);
            let expected = if *sdk == Sdk::Server { 3 } else { 1 };
            assert_eq!(of_sdk.count(), expected, "{topic:?} of {sdk:?}");
        }
    }
    for (topic, library, section) in all() {
        match section.calls {
            Calls::Code(code) => assert!(!code.trim().is_empty(), "{topic:?} {}", library.name),
            Calls::NoneInSource => {
                let known = WITHOUT_CALLS.contains(&(library.name, topic));
                assert!(
                    known && !section.notes.is_empty(),
                    "{topic:?} {}",
                    library.name
                );
            }
        }
    }
}

#[test]
fn every_source_is_a_line_at_the_version_that_was_read() {
    for (topic, library, section) in all() {
        let repository = format!("https://github.com/mixpanel/{}/blob/", library.name);
        let rest = section.source.strip_prefix(&repository);
        let rest = rest.map(|rest| rest.strip_prefix('v').unwrap_or(rest));
        let path = rest.and_then(|rest| rest.strip_prefix(library.version)?.strip_prefix('/'));
        let line = path.and_then(|path| path.split_once("#L")?.1.parse::<u32>().ok());
        assert!(
            line.is_some(),
            "{topic:?} of {}: {}",
            library.name,
            section.source
        );
    }
}

#[test]
fn code_fits_a_terminal_of_60_columns() {
    for (topic, library, section) in all() {
        let Calls::Code(code) = section.calls else {
            continue;
        };
        for line in code.lines() {
            let width = line.chars().count() + 2;
            assert!(
                width <= 60,
                "{topic:?} of {}: {width}: {line}",
                library.name
            );
        }
    }
}

#[test]
fn names_are_those_that_are_typed() {
    let typed = |value: &dyn Fn() -> Option<clap::builder::PossibleValue>| {
        value().map(|value| value.get_name().to_owned())
    };
    for topic in Topic::ALL {
        let name = typed(&|| clap::ValueEnum::to_possible_value(&topic));
        assert_eq!(name.as_deref(), Some(topic.name()));
    }
    assert_eq!(
        Topic::ALL.as_slice(),
        <Topic as clap::ValueEnum>::value_variants()
    );
    for sdk in sdks() {
        let name = typed(&|| clap::ValueEnum::to_possible_value(sdk));
        assert_eq!(name.as_deref(), Some(sdk.name()));
    }
}
