//! Checks the body of a create call against the documented contract. May be stricter than the real
//! service: refuses everything that the documentation does not allow, and says why. Touches no
//! state.

use axum::http::Uri;
use serde_json::{Map, Value};
use uuid::{Uuid, Variant, Version};

use super::body::Received;
use super::replies::Refusal;
use crate::sandbox::Settings;
use crate::sandbox::state::task::{CreateCall, Disclosure, Kind, Law};

const MAX_CALLBACK_URLS: usize = 5;
/// All allowed properties of a create's body.
const PROPERTIES: [&str; 5] = [
    "distinct_ids",
    "compliance_type",
    "disclosure_type",
    "subject_request_id",
    "status_callback_urls",
];

/// The order in a body, or why it has none.
pub(crate) fn parse(
    kind: Kind,
    body: &Received,
    settings: &Settings,
) -> Result<CreateCall, Refusal> {
    let Received::Whole(bytes) = body else {
        return Err(Refusal::BodyTooLarge);
    };
    let fields = match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return Err(bad("the body must be a JSON object")),
        Err(_) => return Err(bad("the body is not valid JSON")),
    };
    // Otherwise a misspelt `compliance_type` would mean a GDPR order.
    if fields
        .keys()
        .any(|name| !PROPERTIES.contains(&name.as_str()))
    {
        return Err(bad("the body has a property that this call does not know"));
    }
    let law = law(&fields)?;
    Ok(CreateCall {
        kind,
        law,
        disclosure: disclosure(&fields, kind, law)?,
        distinct_ids: distinct_ids(&fields, kind, settings)?,
        subject_request_id: subject_request_id(&fields)?,
        status_callback_urls: status_callback_urls(&fields)?,
    })
}

fn bad(text: &'static str) -> Refusal {
    Refusal::BadBody(text)
}

fn law(fields: &Map<String, Value>) -> Result<Law, Refusal> {
    let Some(value) = fields.get("compliance_type") else {
        return Ok(Law::Gdpr);
    };
    let word = value.as_str().unwrap_or_default();
    Law::ALL
        .into_iter()
        .find(|law| law.as_str().eq_ignore_ascii_case(word))
        .ok_or(bad("compliance_type must be GDPR or CCPA"))
}

fn disclosure(fields: &Map<String, Value>, kind: Kind, law: Law) -> Result<Disclosure, Refusal> {
    let Some(value) = fields.get("disclosure_type") else {
        return Ok(Disclosure::Data);
    };
    match (kind, law) {
        (Kind::Deletion, _) => Err(bad("disclosure_type does not apply to deletions")),
        (Kind::Retrieval, Law::Gdpr) => {
            Err(bad("disclosure_type applies to compliance_type CCPA only"))
        }
        (Kind::Retrieval, Law::Ccpa) => Disclosure::ALL
            .into_iter()
            .find(|disclosure| value.as_str() == Some(disclosure.as_str()))
            .ok_or(bad("disclosure_type must be Data, Categories or Sources")),
    }
}

fn distinct_ids(
    fields: &Map<String, Value>,
    kind: Kind,
    settings: &Settings,
) -> Result<Vec<String>, Refusal> {
    let ids = match fields.get("distinct_ids") {
        Some(Value::Array(ids)) if !ids.is_empty() => ids,
        Some(Value::Array(_)) => return Err(bad("distinct_ids must not be empty")),
        Some(_) => return Err(bad("distinct_ids must be an array of strings")),
        None => return Err(bad("distinct_ids is required")),
    };
    match kind {
        Kind::Deletion if ids.len() > settings.max_deletion_ids => {
            return Err(Refusal::TooManyToDelete {
                limit: settings.max_deletion_ids,
            });
        }
        Kind::Retrieval if ids.len() > settings.max_retrieval_ids => {
            return Err(Refusal::TooManyToRetrieve {
                limit: settings.max_retrieval_ids,
            });
        }
        Kind::Deletion | Kind::Retrieval => {}
    }
    let text = |id: &Value| id.as_str().filter(|id| !id.is_empty()).map(str::to_owned);
    ids.iter().map(text).collect::<Option<_>>().ok_or(bad(
        "each of distinct_ids must be a string that is not empty",
    ))
}

fn subject_request_id(fields: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    let Some(value) = fields.get("subject_request_id") else {
        return Ok(None);
    };
    let id = value.as_str().filter(|text| is_lower_case_uuid_v4(text));
    let id = id.ok_or(bad("subject_request_id must be a lower-case UUIDv4"))?;
    Ok(Some(id.to_owned()))
}

fn is_lower_case_uuid_v4(text: &str) -> bool {
    Uuid::parse_str(text).is_ok_and(|uuid| {
        uuid.get_version() == Some(Version::Random)
            && uuid.get_variant() == Variant::RFC4122
            && uuid.to_string() == text
    })
}

fn status_callback_urls(fields: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
    let Some(value) = fields.get("status_callback_urls") else {
        return Ok(Vec::new());
    };
    let urls = value
        .as_array()
        .ok_or(bad("status_callback_urls must be an array of https URLs"))?;
    if urls.len() > MAX_CALLBACK_URLS {
        return Err(bad("status_callback_urls holds more than 5 URLs"));
    }
    let https = |url: &Value| url.as_str().filter(|url| is_https(url)).map(str::to_owned);
    urls.iter()
        .map(https)
        .collect::<Option<_>>()
        .ok_or(bad("each of status_callback_urls must be an https URL"))
}

fn is_https(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|uri| {
        uri.scheme_str() == Some("https") && uri.host().is_some_and(|host| !host.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::json;

    use super::*;

    fn parsed(kind: Kind, body: &Value) -> Result<CreateCall, Refusal> {
        let body = Received::Whole(body.to_string().into_bytes().into());
        parse(kind, &body, &Settings::new(PathBuf::new()))
    }

    fn refused(kind: Kind, body: Value) {
        match parsed(kind, &body) {
            Err(Refusal::BadBody(_)) => {}
            other => panic!("{kind:?} {body}: {other:?}"),
        }
    }

    #[test]
    fn a_body_of_ids_alone_is_a_gdpr_order() {
        let order =
            parsed(Kind::Retrieval, &json!({"distinct_ids": ["b", "a", "b"]})).expect("good");
        assert_eq!((order.law, order.disclosure), (Law::Gdpr, Disclosure::Data));
        assert_eq!(order.distinct_ids, ["b", "a", "b"]);
    }

    #[test]
    fn the_law_is_taken_in_any_case() {
        for word in ["CCPA", "ccpa", "Ccpa"] {
            let order = parsed(
                Kind::Deletion,
                &json!({"distinct_ids": ["a"], "compliance_type": word}),
            );
            assert_eq!(order.expect("good").law, Law::Ccpa);
        }
        for word in [json!("LGPD"), json!(""), json!(null), json!(1)] {
            refused(
                Kind::Deletion,
                json!({"distinct_ids": ["a"], "compliance_type": word}),
            );
        }
    }

    #[test]
    fn a_property_that_is_not_documented_is_refused() {
        for name in ["compliance-type", "complianceType", "distinct_id", "note"] {
            refused(Kind::Deletion, json!({"distinct_ids": ["a"], name: "CCPA"}));
        }
    }

    #[test]
    fn a_disclosure_goes_with_a_ccpa_retrieval_only() {
        for word in ["Data", "Categories", "Sources"] {
            let body =
                json!({"distinct_ids": ["a"], "compliance_type": "CCPA", "disclosure_type": word});
            assert_eq!(
                parsed(Kind::Retrieval, &body)
                    .expect("good")
                    .disclosure
                    .as_str(),
                word
            );
            refused(Kind::Deletion, body);
            refused(
                Kind::Retrieval,
                json!({"distinct_ids": ["a"], "disclosure_type": word}),
            );
        }
        refused(
            Kind::Retrieval,
            json!({"distinct_ids": ["a"], "compliance_type": "CCPA", "disclosure_type": "All"}),
        );
    }

    #[test]
    fn ids_that_are_no_ids_are_refused() {
        for ids in [
            json!([]),
            json!("a"),
            json!(null),
            json!([1]),
            json!([""]),
            json!(["a", null]),
            json!([["a"]]),
        ] {
            refused(Kind::Deletion, json!({"distinct_ids": ids}));
        }
        for body in [json!({}), json!([]), json!("a"), json!(null)] {
            refused(Kind::Retrieval, body);
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let settings = Settings::new(PathBuf::new());
        for text in ["", "{", "distinct_ids=a"] {
            let body = Received::Whole(text.into());
            assert!(
                matches!(
                    parse(Kind::Deletion, &body, &settings),
                    Err(Refusal::BadBody(_))
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn too_many_ids_are_told_in_a_way_of_its_own_for_each_endpoint() {
        let ids: Vec<String> = (0..2001).map(|number| format!("user-{number}")).collect();
        let body = |count: usize| json!({"distinct_ids": ids[..count]});
        assert!(parsed(Kind::Deletion, &body(500)).is_ok());
        assert_eq!(
            parsed(Kind::Deletion, &body(501)),
            Err(Refusal::TooManyToDelete { limit: 500 })
        );
        assert!(parsed(Kind::Retrieval, &body(2000)).is_ok());
        assert_eq!(
            parsed(Kind::Retrieval, &body(2001)),
            Err(Refusal::TooManyToRetrieve { limit: 2000 })
        );
    }

    #[test]
    fn a_subject_request_id_is_a_lower_case_uuid_v4() {
        let body = |id: &str| json!({"distinct_ids": ["a"], "subject_request_id": id});
        let good = "3e0b7f52-8b1c-4d2e-9f3a-5c6d7e8f9a0b";
        let order = parsed(Kind::Deletion, &body(good)).expect("good");
        assert_eq!(order.subject_request_id.as_deref(), Some(good));
        let shouted = good.to_uppercase();
        let bare = good.replace('-', "");
        let version_1 = "3e0b7f52-8b1c-1d2e-9f3a-5c6d7e8f9a0b";
        for id in ["", "user-17", shouted.as_str(), bare.as_str(), version_1] {
            refused(Kind::Deletion, body(id));
        }
    }

    #[test]
    fn callback_urls_are_at_most_five_and_https() {
        let body = |urls: Value| json!({"distinct_ids": ["a"], "status_callback_urls": urls});
        let good = "https://dsr.example.test/callback?x=1";
        let order = parsed(Kind::Retrieval, &body(json!(vec![good; 5]))).expect("good");
        assert_eq!(order.status_callback_urls, [good; 5]);
        refused(Kind::Retrieval, body(json!(vec![good; 6])));
        for urls in [
            json!("https://a.test"),
            json!(["http://a.test"]),
            json!(["a.test"]),
            json!(["https://"]),
            json!([1]),
        ] {
            refused(Kind::Retrieval, body(urls));
        }
    }
}
