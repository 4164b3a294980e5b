//! Lists the repository's pages, and checks their lengths and links.

use std::fs;
use std::path::{Path, PathBuf};

/// Pages for people are short: what does not fit gets its own page.
const LONGEST: [(&str, usize); 4] = [
    ("README.md", 9 * 1024),
    ("ARCHITECTURE.md", 10 * 1024),
    ("docs/guide/", 6 * 1024),
    ("docs/design/", 6 * 1024),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap()
}

/// Every Markdown page, by its path in the repository, in order.
pub(crate) fn all() -> Vec<String> {
    let mut pages = Vec::new();
    for folder in ["", "benches", "docs"] {
        gather(folder, folder == "docs", &mut pages);
    }
    pages.sort();
    assert!(pages.len() > 20, "{pages:?}");
    pages
}

fn gather(folder: &str, goes_down: bool, pages: &mut Vec<String>) {
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap();
        if path.is_dir() && goes_down {
            gather(name, goes_down, pages);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(name.to_owned());
        }
    }
}

#[test]
fn pages_are_short() {
    for page in all() {
        let longest = LONGEST.iter().find(|(begin, _)| page.starts_with(begin));
        let Some((_, longest)) = longest else {
            continue;
        };
        let size = read(&page).len();
        assert!(size <= *longest, "{page} has {size} bytes of {longest}");
    }
}

#[test]
fn no_link_leads_nowhere() {
    let mut links = 0;
    for page in all() {
        for target in targets(&read(&page)) {
            let Some((path, anchor)) = inside(&page, &target) else {
                continue;
            };
            links += 1;
            assert!(root().join(&path).exists(), "{page}: {target}");
            if let Some(anchor) = anchor {
                let anchors = anchors(&read(path.to_str().unwrap()));
                assert!(anchors.contains(&anchor), "{page}: {target}");
            }
        }
    }
    assert!(links > 100, "{links} links");
}

/// The targets after `](`, except in code.
fn targets(text: &str) -> Vec<String> {
    let mut targets = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        is_code ^= line.trim_start().starts_with("```");
        let links = line.split("](").skip(1).filter(|_| !is_code);
        targets.extend(links.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())));
    }
    targets
}

/// The file and the heading that a link leads to; `None` if it leaves the repository.
fn inside(page: &str, target: &str) -> Option<(PathBuf, Option<String>)> {
    if target.contains("://") {
        return None;
    }
    let (path, anchor) = match target.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor.to_owned())),
        None => (target, None),
    };
    let path = match path {
        "" => PathBuf::from(page),
        path => Path::new(page).parent().unwrap().join(path),
    };
    Some((path, anchor))
}

/// The anchors that GitHub makes of headings.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches(['#', ' ']).to_lowercase();
        let kept = words
            .chars()
            .filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn the_index_and_the_program_have_every_page_of_the_guide() {
    let index = read("docs/guide/README.md");
    let mut topics = dsr::cli::pages().into_iter();
    let runbooks = topics.find(|page| page.name == "runbooks").unwrap();
    let told = runbooks.markdown();
    let pages = all()
        .into_iter()
        .filter(|page| page.starts_with("docs/guide/"));
    for page in pages.filter(|page| !page.ends_with("README.md")) {
        let name = page.trim_start_matches("docs/guide/");
        assert!(
            index.contains(&format!("]({name})")),
            "{name} is not in the index"
        );
        let text = read(&page);
        let title = text.lines().next().unwrap().trim_start_matches("# ");
        assert!(
            told.contains(&format!("### {title}\n")),
            "`dsr help runbooks` lacks {title}"
        );
    }
}
