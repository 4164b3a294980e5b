//! Lists where each setting comes from.

use crate::commands::context::Context;
use crate::config::{Origin, ProjectEntry, Resolved};
use crate::credentials::TokenOrigin;
use crate::domain::Kind;
use crate::ledger::LedgerPlace;
use crate::ui::Setting;

const FILE: &str = "config_file";
const DEFAULT: &str = "default";

/// Lists dsr's settings, and each project's address and own settings.
pub(crate) fn list(ctx: &Context, resolved: &[Resolved]) -> Vec<Setting> {
    let environment = &ctx.environment;
    let home = match environment.home {
        Some(_) => "DSR_HOME",
        None => DEFAULT,
    };
    let mut settings = vec![overall(
        "config_file",
        ctx.home.config_file().display().to_string(),
        home,
    )];
    if let Some(group) = environment.fs_group {
        settings.push(overall("fs_group", group.to_string(), "DSR_FS_GROUP"));
    }
    let place = ctx.ledger_place();
    let from = match (&place, &environment.ledger_url) {
        (Ok(LedgerPlace::File(_)), _) => home,
        (_, Some(_)) => "DSR_LEDGER_URL",
        (_, None) => FILE,
    };
    let place = place.map_or("cannot be read".to_owned(), |place| place.to_string());
    settings.push(overall("ledger", place, from));
    if !ctx.is_sandbox() {
        let token = match (&environment.token_file, &environment.token) {
            (Some(path), _) => (path.display().to_string(), "DSR_TOKEN_FILE"),
            (None, Some(_)) => ("set".to_owned(), "DSR_TOKEN"),
            (None, None) => default_token(ctx),
        };
        settings.push(overall("oauth_token", token.0, token.1));
        if let Some(path) = &environment.service_account_file {
            let path = path.display().to_string();
            settings.push(overall("service_account", path, "DSR_SERVICE_ACCOUNT_FILE"));
        }
        if let Some(proxy) = &environment.proxy {
            let host = proxy.host.clone();
            let host = host.unwrap_or_else(|| "cannot be read".to_owned());
            settings.push(overall("proxy", host, proxy.variable));
        }
        if let Some(hosts) = &environment.no_proxy {
            settings.push(overall("no_proxy", hosts.clone(), "NO_PROXY"));
        }
        if let Some(path) = &environment.ca_file {
            settings.push(overall(
                "ca_file",
                path.display().to_string(),
                "DSR_CA_FILE",
            ));
        }
    }
    if let Some(level) = &environment.log {
        settings.push(overall("log", level.clone(), "DSR_LOG"));
    }
    let file = ctx.projects_file().ok();
    for one in resolved {
        let entry = file
            .as_ref()
            .and_then(|file| file.find(one.project.name.as_str()));
        settings.extend(address_of(ctx, one));
        settings.extend(of_project(one, entry));
    }
    settings
}

fn default_token(ctx: &Context) -> (String, &'static str) {
    let named = ctx.projects_file().ok();
    let named = named.and_then(|file| file.default_auth().cloned());
    match named {
        Some(name) => (format!("`{name}` in the keyring"), FILE),
        None => (TokenOrigin::Keyring.to_string(), DEFAULT),
    }
}

fn overall(name: &'static str, value: String, from: &'static str) -> Setting {
    Setting {
        name,
        project: None,
        value,
        from,
    }
}

/// None in a rehearsal: the sandbox's address is made when it starts.
fn address_of(ctx: &Context, resolved: &Resolved) -> Option<Setting> {
    let from = match resolved.api_url_from {
        _ if ctx.is_sandbox() => return None,
        Origin::Environment => "DSR_API_URL",
        Origin::Default | Origin::File => "region",
    };
    Some(Setting {
        name: "api_url",
        project: Some(resolved.project.name.to_string()),
        value: resolved.project.api_url.as_str().to_owned(),
        from,
    })
}

fn of_project(resolved: &Resolved, entry: Option<&ProjectEntry>) -> Vec<Setting> {
    let project = &resolved.project;
    let from = |origin: Origin, variable| match origin {
        Origin::Default => DEFAULT,
        Origin::File => FILE,
        Origin::Environment => variable,
    };
    let mut settings = Vec::new();
    let mut add = |name, value: String, from| {
        settings.push(Setting {
            name,
            project: Some(project.name.to_string()),
            value,
            from,
        });
    };
    let token_from = from(resolved.token_from, "DSR_PROJECT_TOKEN");
    add("token", "set".to_owned(), token_from);
    let region_from = from(resolved.region_from, "DSR_REGION");
    add("region", project.region.as_str().to_owned(), region_from);
    if let Some(id) = project.id {
        add(
            "project_id",
            id.to_string(),
            from(resolved.id_from, "DSR_PROJECT_ID"),
        );
    }
    let Some(entry) = entry else {
        return settings;
    };
    let limit = |kind| project.limits.for_kind(kind).get().to_string();
    if entry.delete_batch.is_some() || entry.data_groups.is_some() {
        add("delete_batch", limit(Kind::Delete), FILE);
    }
    if entry.export_batch.is_some() {
        add("export_batch", limit(Kind::Export), FILE);
    }
    if entry.rate.is_some() {
        add("rate", project.rate.per_second().to_string(), FILE);
    }
    if entry.queries_per_hour.is_some() {
        let queries = project.queries.per_hour().to_string();
        add("queries_per_hour", queries, FILE);
    }
    if entry.time_zone.is_some() {
        add("time_zone", project.zone.as_str().to_owned(), FILE);
    }
    if let Some(name) = &project.auth {
        add("auth", name.to_string(), FILE);
    }
    if let Some(verify) = entry.verify {
        add("verify", verify.to_string(), FILE);
    }
    let lists = [
        ("callbacks", project.callbacks.len()),
        ("approvals", entry.approvals as usize),
        ("holidays", project.holidays.len()),
    ];
    for (name, count) in lists.into_iter().filter(|(_, count)| *count > 0) {
        add(name, count.to_string(), FILE);
    }
    settings
}
