//! Checks that a page is well-formed, and loads nothing from outside.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Elements of HTML without an end tag.
const VOID: [&str; 3] = ["meta", "br", "link"];

/// Every element is closed in order, every `id` is unique, every reference stays inside the page,
/// and the policy allows its own styles and nothing else.
#[track_caller]
pub(crate) fn is_sound(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html>"), "{}", &page[..80]);
    let mut open: Vec<&str> = Vec::new();
    let mut ids: Vec<String> = Vec::new();
    let mut led_to: Vec<String> = Vec::new();
    let mut rest = &page["<!DOCTYPE html>".len()..];
    while let Some(start) = rest.find('<') {
        assert!(
            !rest[..start].contains('>'),
            "a stray `>`: {}",
            &rest[..start]
        );
        let end = rest[start..].find('>').expect("a tag ends") + start;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closed before its time");
            continue;
        }
        let name = tag.split_whitespace().next().expect("a name");
        assert!(
            name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'),
            "{name}"
        );
        for (key, value) in attributes(&tag[name.len()..]) {
            match key.as_str() {
                "id" => ids.push(value),
                "aria-labelledby" => led_to.extend(value.split(' ').map(str::to_owned)),
                "href" => led_to.push(value.strip_prefix('#').expect("a place here").to_owned()),
                "style" | "src" | "onload" => panic!("`{key}` on `{name}`"),
                _ => {}
            }
        }
        assert!(!["script", "img", "iframe", "object", "base", "form"].contains(&name));
        if name == "style" {
            let close = rest.find("</style>").expect("a style ends");
            is_allowed(page, &rest[..close]);
            rest = &rest[close + "</style>".len()..];
        } else if !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id is there twice");
    for place in led_to {
        assert!(ids.contains(&place), "nothing is called {place}");
    }
    let policy = page.split("content=\"default-src 'none'; style-src 'sha256-");
    assert_eq!(policy.count(), 2, "one policy");
}

/// A style loads nothing, and the policy has its hash.
#[track_caller]
fn is_allowed(page: &str, style: &str) {
    let hash = STANDARD.encode(Sha256::digest(style));
    assert!(
        page.contains(&format!("'sha256-{hash}'")),
        "a style without its hash"
    );
    assert!(!style.contains("@import") && !style.contains("http"));
    for part in style.split("url(").skip(1) {
        assert!(part.starts_with('#'), "{part}");
    }
}

/// `name="value"` and bare names.
fn attributes(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find([' ', '=']).unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        match rest[end..].strip_prefix("=\"") {
            Some(value) => {
                let close = value.find('"').expect("a value ends");
                found.push((name, value[..close].to_owned()));
                rest = value[close + 1..].trim_start();
            }
            None => {
                found.push((name, String::new()));
                rest = rest[end..].trim_start();
            }
        }
    }
    found
}

#[test]
fn what_is_broken_or_leads_outside_is_seen() {
    let page = |body: &str| {
        format!(
            "<!DOCTYPE html><html><head><meta content=\"default-src 'none'; style-src 'sha256-\"></head><body>{body}</body></html>"
        )
    };
    is_sound(&page("<p id=\"a\">x</p><a href=\"#a\">y</a>"));
    for body in [
        "<p>x",
        "<b><i>x</b></i>",
        "<p id=\"a\"></p><p id=\"a\"></p>",
        "<a href=\"https://x.test\">x</a>",
        "<a href=\"#gone\">x</a>",
        "<img src=\"x\">",
        "<p style=\"color:red\">x</p>",
        "<script>1</script>",
        "<style>p{}</style>",
    ] {
        let page = page(body);
        assert!(
            std::panic::catch_unwind(|| is_sound(&page)).is_err(),
            "{body}"
        );
    }
}
