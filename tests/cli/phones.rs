//! Pages on a phone, laid out by a browser: nothing is wider than 390 pixels.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Operator, find_program, package_of, the_download};

/// Reports how wide the page is, and what extends over an edge.
const RULER: &str = r#"<script>
document.querySelectorAll("details").forEach(function (one) { one.open = true; });
var wide = document.documentElement, over = [];
document.querySelectorAll("body *").forEach(function (one) {
  var box = one.getBoundingClientRect();
  if (box.right > wide.clientWidth + 1) over.push(one.tagName + " " + one.textContent.slice(0, 40));
});
parent.postMessage(wide.scrollWidth - wide.clientWidth + " over; " + over.join(", "), "*");
</script></body>"#;
const FRAME: &str = r#"<meta charset="utf-8"><pre id="said">nothing</pre>
<iframe src="page.html" width="390" height="900"></iframe>
<script>onmessage = function (event) { document.getElementById("said").textContent = event.data; };</script>"#;

/// The ruler's report. Removes the page's policy, which would block the ruler's script.
fn measured(browser: &str, folder: &Path, page: &str) -> String {
    let policy = page.find("<meta http-equiv=").expect("a policy");
    let end = policy + page[policy..].find('>').expect("it ends") + 1;
    let page = format!("{}{}", &page[..policy], &page[end..]).replace("</body>", RULER);
    fs::write(folder.join("page.html"), page).expect("a file can be written");
    fs::write(folder.join("frame.html"), FRAME).expect("a file can be written");
    let profile = tempfile::tempdir().expect("a folder");
    let shown = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        .args(["--virtual-time-budget=3000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", folder.join("frame.html").display()))
        .env("HOME", profile.path())
        .output()
        .expect("it starts");
    let shown = String::from_utf8(shown.stdout).expect("text");
    let said = shown.split("<pre id=\"said\">").nth(1).unwrap_or(&shown);
    said.split("</pre>").next().expect("a part").to_owned()
}

#[test]
fn no_page_reaches_over_the_edge_of_a_phone() {
    let Some(browser) = find_program("chromium") else {
        return;
    };
    let operator = Operator::new();
    let long = "very-long-id-".repeat(18);
    let ids = format!("user-17\n{long}\n利用者-0001\n");
    operator.file("ids.txt", ids);
    let outcome = operator.rehearses_a_split(&["--gdpr", "ids.txt"]);
    let path = the_download(&outcome)["packages"]["path"].clone();
    let packages = PathBuf::from(path.as_str().unwrap());
    let page = |id: &str| packages.join(package_of(id)).join("index.html");
    let mut pages: Vec<PathBuf> = ["user-17", &long, "利用者-0001"].map(page).into();

    let delete = [
        "--sandbox",
        "delete",
        "--ccpa",
        "--yes",
        "ids.txt",
        "--wait",
    ];
    operator.run(&delete).exits_with(0);
    let status = operator.run(&["--sandbox", "status", "--all", "--json"]);
    let requests = status.json()["requests"].clone();
    for request in requests.as_array().unwrap() {
        let id = request["id"]
            .as_str()
            .map_or_else(String::new, str::to_owned);
        let file = format!("{id}.html");
        operator
            .run(&["--sandbox", "report", &id, "--output", &file])
            .exits_with(0);
        pages.push(operator.work().join(file));
    }
    assert_ne!(requests, Value::Null);
    operator
        .run(&["--sandbox", "report", "--output", "period.html"])
        .exits_with(0);
    pages.push(operator.work().join("period.html"));
    for path in pages {
        let page = fs::read_to_string(&path).unwrap();
        let said = measured(&browser, &operator.work(), &page);
        assert_eq!(said, "0 over; ", "{}", path.display());
    }
}
