use url::{Host, Url};

use crate::domain::{ProjectId, Region};

/// The base URL of the API, without a trailing slash: https, or http on loopback only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiUrl(Url);

/// Why dsr sends no personal data to a base URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApiUrlError {
    #[error("it is not a URL such as https://host/api/app")]
    Malformed,
    #[error("plain http is for loopback addresses only")]
    Insecure,
    #[error("it holds a user name, a query or a fragment")]
    Extras,
}

impl ApiUrl {
    /// # Errors
    /// See [`ApiUrlError`].
    pub fn parse(text: &str) -> Result<Self, ApiUrlError> {
        let mut url = Url::parse(text.trim()).map_err(|_| ApiUrlError::Malformed)?;
        if !url.has_host() || !matches!(url.scheme(), "http" | "https") {
            return Err(ApiUrlError::Malformed);
        }
        let extras = !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some();
        if extras {
            return Err(ApiUrlError::Extras);
        }
        if url.scheme() == "http" && !is_loopback(&url) {
            return Err(ApiUrlError::Insecure);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// Mixpanel's own address for a region (OpenAPI description, `servers`).
    pub fn of_region(region: Region) -> Self {
        let text = match region {
            Region::Us => "https://mixpanel.com/api/app",
            Region::Eu => "https://eu.mixpanel.com/api/app",
            Region::In => "https://in.mixpanel.com/api/app",
        };
        Self(Url::parse(text).expect("a constant URL parses"))
    }

    /// The URL of an API path. Each segment is percent-encoded, and the URL ends in a slash.
    ///
    /// Without the slash some paths answer 301, and clients then turn the POST into a GET.
    pub fn endpoint(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments).push("");
        }
        url
    }

    /// The URL of a path of the query API, which is beside `app` (OpenAPI description, `servers`).
    pub fn query_endpoint(&self, segment: &str) -> Url {
        self.beside_app(&["query", segment])
    }

    /// The URL that lists the project's pipelines. Mixpanel's data API has hosts of its own
    /// (OpenAPI description, `servers`); elsewhere it is beside `app`.
    pub fn pipelines(&self) -> Url {
        let mut url = self.beside_app(&["2.0", "nessie", "pipeline", "jobs"]);
        let host = match url.host_str() {
            Some("mixpanel.com") => "data.mixpanel.com",
            Some("eu.mixpanel.com") => "data-eu.mixpanel.com",
            Some("in.mixpanel.com") => "data-in.mixpanel.com",
            Some(_) | None => return url,
        };
        url.set_host(Some(host)).expect("a constant host parses");
        url
    }

    /// The URLs that list what is synced into a project: as the OpenAPI description has it, and with
    /// the slash that the service wants at the end of some paths.
    pub fn warehouse_imports(&self, project: ProjectId) -> [Url; 2] {
        let id = project.to_string();
        let ended = self.endpoint(&["projects", &id, "warehouse-sources", "imports"]);
        let mut described = ended.clone();
        if let Ok(mut path) = described.path_segments_mut() {
            path.pop_if_empty();
        }
        [described, ended]
    }

    fn beside_app(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty();
        }
        let has_app = url.path().ends_with("/app");
        if let Ok(mut path) = url.path_segments_mut() {
            if has_app {
                path.pop();
            }
            path.extend(segments);
        }
        url
    }

    /// The URL of the raw export. Mixpanel's own is on another host (OpenAPI description, `servers`).
    pub fn export_endpoint(&self) -> Url {
        let mut url = self.query_endpoint("");
        let data = match url.host_str() {
            Some("mixpanel.com") => Some("data.mixpanel.com"),
            Some("eu.mixpanel.com") => Some("data-eu.mixpanel.com"),
            Some("in.mixpanel.com") => Some("data-in.mixpanel.com"),
            Some(_) | None => None,
        };
        if data.is_some() {
            // Fails only without a host.
            let _ = url.set_host(data);
        }
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop().pop().extend(["2.0", "export"]);
        }
        url
    }

    /// The URL of a path of the ingestion API. Mixpanel's own is on other hosts (OpenAPI description,
    /// `servers`); elsewhere it is where `/api/app` begins.
    pub fn ingestion_endpoint(&self, segment: &str) -> Url {
        let mut url = self.0.clone();
        let root = url.path().trim_end_matches('/');
        let root = root.strip_suffix("/api/app").unwrap_or(root).to_owned();
        url.set_path(&format!("{root}/{segment}"));
        let host = match url.host_str() {
            Some("mixpanel.com") => "api.mixpanel.com",
            Some("eu.mixpanel.com") => "api-eu.mixpanel.com",
            Some("in.mixpanel.com") => "api-in.mixpanel.com",
            Some(_) | None => return url,
        };
        url.set_host(Some(host)).expect("a constant host parses");
        url
    }

    /// The URL that shows who the caller is. It has no slash at its end.
    pub fn own_account(&self) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("me");
        }
        url
    }

    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// The name of the service behind the URL: the URL, or one name for all ports of loopback.
    pub fn service(&self) -> &str {
        if self.is_loopback() {
            "loopback"
        } else {
            self.as_str()
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_only() {
        for good in [
            "http://127.0.0.1:8080/api/app",
            "http://[::1]:8080",
            "http://localhost:1/api/app/",
            "https://mixpanel.com/api/app",
        ] {
            assert!(ApiUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://mixpanel.com/api/app",
            "http://127.0.0.1.evil.test/",
            "http://localhost.evil.test/",
            "http://10.0.0.1/",
        ] {
            assert_eq!(ApiUrl::parse(bad), Err(ApiUrlError::Insecure), "{bad}");
        }
        for (base, query, export, own) in [
            (
                "https://eu.mixpanel.com/api/app/",
                "https://eu.mixpanel.com/api/query/engage",
                "https://data-eu.mixpanel.com/api/2.0/export",
                "https://eu.mixpanel.com/api/app/me",
            ),
            (
                "https://mixpanel.com/api/app",
                "https://mixpanel.com/api/query/engage",
                "https://data.mixpanel.com/api/2.0/export",
                "https://mixpanel.com/api/app/me",
            ),
            (
                "http://127.0.0.1:1",
                "http://127.0.0.1:1/query/engage",
                "http://127.0.0.1:1/2.0/export",
                "http://127.0.0.1:1/me",
            ),
        ] {
            let base = ApiUrl::parse(base).unwrap();
            assert_eq!(base.query_endpoint("engage").as_str(), query);
            assert_eq!(base.export_endpoint().as_str(), export);
            assert_eq!(base.own_account().as_str(), own);
        }
        for (base, import) in [
            (
                "https://mixpanel.com/api/app",
                "https://api.mixpanel.com/import",
            ),
            (
                "https://eu.mixpanel.com/api/app/",
                "https://api-eu.mixpanel.com/import",
            ),
            (
                "https://in.mixpanel.com/api/app",
                "https://api-in.mixpanel.com/import",
            ),
            (
                "https://gateway.test/mp/api/app",
                "https://gateway.test/mp/import",
            ),
            ("http://127.0.0.1:1/api/app", "http://127.0.0.1:1/import"),
            ("http://127.0.0.1:1", "http://127.0.0.1:1/import"),
        ] {
            let found = ApiUrl::parse(base).unwrap().ingestion_endpoint("import");
            assert_eq!(found.as_str(), import);
        }
        for (base, pipelines) in [
            (
                "https://mixpanel.com/api/app",
                "https://data.mixpanel.com/api/2.0",
            ),
            (
                "https://eu.mixpanel.com/api/app",
                "https://data-eu.mixpanel.com/api/2.0",
            ),
            (
                "https://in.mixpanel.com/api/app",
                "https://data-in.mixpanel.com/api/2.0",
            ),
            (
                "https://gateway.test/api/app",
                "https://gateway.test/api/2.0",
            ),
            ("http://127.0.0.1:1/api/app", "http://127.0.0.1:1/api/2.0"),
        ] {
            let found = ApiUrl::parse(base).unwrap().pipelines();
            assert_eq!(found.as_str(), format!("{pipelines}/nessie/pipeline/jobs"));
        }
        for bad in ["mixpanel.com", "ftp://127.0.0.1/", ""] {
            assert_eq!(ApiUrl::parse(bad), Err(ApiUrlError::Malformed), "{bad}");
        }
        for bad in [
            "https://u:p@h.test/",
            "https://h.test/?a=b",
            "https://h.test/#x",
        ] {
            assert_eq!(ApiUrl::parse(bad), Err(ApiUrlError::Extras), "{bad}");
        }
    }

    #[test]
    fn an_endpoint_ends_in_a_slash_and_is_encoded() {
        for base in ["http://127.0.0.1:1/api/app", "http://127.0.0.1:1/api/app/"] {
            let url = ApiUrl::parse(base).unwrap();
            let endpoint = url.endpoint(&["data-deletions", "v3.0", "a/../b?c"]);
            assert_eq!(
                endpoint.as_str(),
                "http://127.0.0.1:1/api/app/data-deletions/v3.0/a%2F..%2Fb%3Fc/"
            );
        }
        let bare = ApiUrl::parse("http://127.0.0.1:1").unwrap();
        assert_eq!(bare.endpoint(&["x"]).as_str(), "http://127.0.0.1:1/x/");
    }

    #[test]
    fn the_service_on_loopback_is_one_whatever_the_port() {
        let one = ApiUrl::parse("http://127.0.0.1:1/api/app").unwrap();
        let two = ApiUrl::parse("http://127.0.0.1:2/api/app").unwrap();
        assert_eq!(one.service(), two.service());
        assert_ne!(one.service(), ApiUrl::of_region(Region::Us).service());
    }
}
